package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"
)

//go:generate sh -c "cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run -s build"

// The page's parts; script and style are bundled from web/ by go generate.
var (
	//go:embed assets/page.html
	pageText string
	//go:embed assets/page.css
	style string
	//go:embed assets/page.js
	script string
	//go:embed assets/licenses.txt
	licences string
)

// page is a text template: what goes into it is ours, but for the data, which json.Marshal
// leaves without <, > and &.
var page = template.Must(template.New("page").Parse(pageText))

// Policy is the Content-Security-Policy of the page: its own script and style, by their
// hashes, a worker made of the script, and nothing from or to anywhere. A live page may also ask
// its own server for newer data.
func Policy(live bool) string {
	p := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; worker-src blob:; base-uri 'none'; form-action 'none'", digest(script), digest(style))
	if live {
		p += "; connect-src 'self'"
	}
	return p
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// WritePage writes the page of d: one HTML file that needs nothing else.
func WritePage(w io.Writer, d *Data) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return page.Execute(w, map[string]any{
		"Policy": Policy(d.Live), "Title": "SSH sessions by how expected they are", "Live": d.Live,
		"Style": style, "Script": script, "Data": string(b),
		"Licences": "<!--\n" + strings.ReplaceAll(licences, "--", "- -") + "-->",
	})
}
