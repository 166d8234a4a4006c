package elastic

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// TestProxyOfTheEnvironment asks a server by a name that only the proxy knows. net/http reads the environment once in a
// process, so that the client is another one.
func TestProxyOfTheEnvironment(t *testing.T) {
	const child, address = "RGCN_TEST_BEHIND_PROXY", "http://search.invalid:9200/logs"
	if os.Getenv(child) != "" {
		if r, err := source(t, Config{URL: address}).Pull(t.Context(), newGraph(t), Options{}); err != nil || r.Documents != 5 {
			t.Errorf("%d documents: %v", r.Documents, err)
		}
		return
	}
	index := &elastictest.Server{Index: "logs"}
	add(index, sessions(8, 5, 1))
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "search.invalid:9200" {
			asked.Add(1)
		}
		index.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	for _, variable := range os.Environ() { // whatever proxy these tests run behind
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			c.Env = append(c.Env, variable)
		}
	}
	c.Env = append(c.Env, child+"=1", "HTTP_PROXY="+proxy.URL)
	if out, err := c.CombinedOutput(); err != nil || asked.Load() == 0 {
		t.Errorf("the proxy was asked %d times: %v\n%s", asked.Load(), err, out)
	}
}
