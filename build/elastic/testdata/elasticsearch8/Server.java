import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/** One node on loopback: Server DIRECTORY PORT JARS. It ends with its standard input. */
public class Server {
    static final String HTTP = "transport-netty4";

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        layOut(home, Path.of(args[2]));
        LogConfigurator.configureESLogging();
        Settings settings = Settings.builder()
            .put("path.home", home.toString())
            .put("http.port", args[1])
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("cluster.name", "rgcn")
            .putList("node.roles", "master", "data", "ingest")
            .build();
        new Node(new Environment(settings, home.resolve("config"))).start();
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }

    /** The HTTP module lies in a directory of its own, as in the distribution, and nowhere else. */
    static void layOut(Path home, Path lib) throws IOException {
        Path module = home.resolve("modules").resolve(HTTP);
        for (String directory : List.of("config", "plugins")) {
            Files.createDirectories(home.resolve(directory));
        }
        Files.createDirectories(module);
        try (Stream<Path> jars = Files.list(lib)) {
            for (Path jar : jars.filter(j -> j.getFileName().toString().matches("(netty|" + HTTP + ")-.*")).toList()) {
                Files.copy(jar, module.resolve(jar.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.writeString(module.resolve("plugin-descriptor.properties"), """
            name=%s
            description=HTTP
            classname=org.elasticsearch.transport.netty4.Netty4Plugin
            version=8.14.3
            elasticsearch.version=8.14.3
            java.version=17
            """.formatted(HTTP));
    }
}
