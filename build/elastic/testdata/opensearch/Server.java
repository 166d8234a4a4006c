import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node on loopback: Server DIRECTORY PORT. It ends with its standard input. */
public class Server {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("http.port", args[1]);
            settings.put("network.host", "127.0.0.1");
            settings.put("discovery.type", "single-node");
            settings.putList("discovery.seed_hosts");
            settings.putList("node.roles", "master", "data", "ingest");
        });
        runner.build(OpenSearchRunner.newConfigs().basePath(args[0]).numOfNode(1).clusterName("rgcn"));
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }
}
