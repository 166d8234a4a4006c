package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/doctor/hostconf"
)

// tag is a tag that records may have.
type tag struct {
	text string
	wild bool   // a * in it is text that is not known before the records come
	by   string // the input or filter that sets it
}

// senders are the inputs whose records carry their own tags if no property sets one.
var senders = []string{"forward", "http", "splunk", "opentelemetry", "elasticsearch", "mqtt"}

// routes checks that records reach each filter, and an output behind it.
func (e *examination) routes() {
	if e.conf == nil {
		return
	}
	for _, p := range e.targets {
		e.matchesNever(p)
		if p.section.Parent != nil && p.section.Parent.Kind == hostconf.Output {
			e.findings.add(Problem, TopicRoute, p.at(), fmt.Sprintf("%s is a processor of the output %s, where each retry would score a chunk, and count its sessions, once more: "+
				"its records pass without a score", p.name, p.section.Parent.Value("name")), "move it to the processors of the input, or to a section of the filters")
			continue
		}
		if p.section.Parent != nil {
			e.findings.add(OK, TopicRoute, p.at(), fmt.Sprintf("%s has the records of its %s %s", p.name, p.section.Parent.Kind, p.section.Parent.Value("name")), "")
			continue
		}
		e.route(p)
	}
}

func (e *examination) route(p *target) {
	match, regex := p.section.Value("match"), p.section.Value("match_regex")
	if match == "" && regex == "" {
		e.findings.add(Problem, TopicRoute, p.at(), p.name+" has no Match, so Fluent Bit refuses it", "add Match and the tag of the input, or *")
		return
	}
	tags := e.tags()
	if len(tags) == 0 {
		e.findings.add(Problem, TopicRoute, e.conf.Path, "there is no input, so no record comes", "add an [INPUT] with the path of your log (conf/fluent-bit.conf)")
		return
	}
	takes, err := matcher(match, regex)
	if err != nil {
		e.findings.add(Warning, TopicRoute, p.where("match_regex"), fmt.Sprintf("Match_Regex %s: which tags it takes cannot be told here: %v", regex, err), "try it with fluent-bit itself")
		return
	}
	var from, all []string
	for _, t := range tags {
		all = append(all, fmt.Sprintf("%s (%s)", t.text, t.by))
		if takes(t) {
			from = append(from, fmt.Sprintf("%s (%s)", t.text, t.by))
		}
	}
	pattern := match
	if pattern == "" {
		pattern = regex
	}
	if len(from) == 0 {
		fix := "set Match to the tag of the input that reads the sessions, or to *"
		if strings.ContainsAny(pattern, ",") {
			fix = "Match takes one pattern, with * for any text: for several tags use Match_Regex, or a section for each"
		}
		e.findings.add(Problem, TopicRoute, p.where("match"), fmt.Sprintf("no record reaches %s: its Match %s takes none of the tags %s", p.name, pattern, strings.Join(all, ", ")), fix)
		return
	}
	e.findings.add(OK, TopicRoute, p.where("match"), fmt.Sprintf("%s takes the tags %s", p.name, strings.Join(from, ", ")), "")
	e.twice(p, pattern, tags, takes)
}

// twice warns of a rewrite_tag behind a filter that gives records a tag which the filter takes too.
func (e *examination) twice(p *target, pattern string, tags []tag, takes func(tag) bool) {
	for _, s := range e.behind(p) {
		if !s.Is("rewrite_tag") {
			continue
		}
		rewrites, err := matcher(s.Value("match"), s.Value("match_regex"))
		if err != nil || !slices.ContainsFunc(tags, func(t tag) bool { return takes(t) && rewrites(t) }) {
			continue
		}
		for _, t := range newTags(s) {
			if takes(t) {
				e.findings.add(Warning, TopicRoute, s.At.String(), fmt.Sprintf("records pass %s twice, and count twice: this rewrite_tag, which stands behind it, gives them the tag %s, "+
					"which Match %s takes too", p.name, t.text, pattern), "set Match of "+p.name+" to the tag of the input alone, or put rewrite_tag in front of it")
				break
			}
		}
	}
}

// behind are the filters that stand behind one of them.
func (e *examination) behind(p *target) []*hostconf.Section {
	all := e.conf.Of(hostconf.Filter)
	if in := p.section.Parent; in != nil {
		return slices.Concat(in.Processors[slices.Index(in.Processors, p.section)+1:], all)
	}
	return all[slices.Index(all, p.section)+1:]
}

// matchesNever warns of filters behind one of rgcn that look for an added field which is no text: their expressions never
// match a boolean or a number.
func (e *examination) matchesNever(p *target) {
	if !p.valid {
		return
	}
	c := &p.config.Fields
	for _, s := range e.behind(p) {
		for _, x := range s.Properties {
			looks := s.Is("grep") && (x.Key == "regex" || x.Key == "exclude") || s.Is("rewrite_tag") && x.Key == "rule"
			key, _, _ := strings.Cut(x.Value, " ")
			key = strings.TrimPrefix(key, "$")
			if inner, ok := strings.CutPrefix(key, "["); ok {
				key = strings.Trim(inner, `'"]`)
			}
			if !looks || !slices.Contains([]string{c.Score, c.LowScore, c.SourceAlert}, key) {
				continue
			}
			test := key
			if key == c.Score {
				test = c.LowScore
			}
			e.findings.add(Warning, TopicRoute, x.At.String(), fmt.Sprintf("%s never matches %s, which is no text but a boolean or a number", strings.ToLower(s.Value("name")), key),
				fmt.Sprintf("put a filter modify between (Condition Key_value_matches %s true, Add alert yes), and look for that text: conf/README.md, Alerts", test))
		}
	}
}

// tags are the tags that records may have: one for each input, in their order, then those that filters set.
func (e *examination) tags() (out []tag) {
	number := map[string]int{}
	for _, s := range e.conf.Of(hostconf.Input) {
		plugin := strings.ToLower(s.Value("name"))
		t := tag{text: s.Value("tag"), by: "input " + plugin}
		switch {
		case t.text != "" && plugin == "tail":
			t.wild = strings.ContainsAny(t.text, "*<")
			t.text = inAngles.ReplaceAllString(t.text, "*")
		case t.text != "" && plugin == "systemd":
			t.wild = strings.Contains(t.text, "*") // the unit's name
		case t.text != "":
		case slices.Contains(senders, plugin):
			t.text, t.wild, t.by = "*", true, "input "+plugin+", by the sender"
		default:
			t.text = fmt.Sprintf("%s.%d", plugin, number[plugin])
		}
		if prefix := s.Value("tag_prefix"); prefix != "" && plugin == "forward" {
			t.text = prefix + t.text
		}
		number[plugin]++
		out = append(out, t)
	}
	for _, s := range e.conf.Of(hostconf.Filter) {
		if !s.Is("rewrite_tag") {
			continue
		}
		out = append(out, newTags(s)...)
	}
	return out
}

// newTags are the tags that a rewrite_tag gives.
func newTags(s *hostconf.Section) (out []tag) {
	for _, x := range s.Properties {
		// KEY REGEX NEW_TAG KEEP
		if fields := strings.Fields(x.Value); x.Key == "rule" && len(fields) >= 4 {
			text := inRule.ReplaceAllString(fields[len(fields)-2], "*")
			out = append(out, tag{text: text, wild: strings.Contains(text, "*"), by: "filter rewrite_tag"})
		}
	}
	return out
}

var (
	inAngles = regexp.MustCompile(`<[^>]*>`)
	inRule   = regexp.MustCompile(`\$\w+(\[[^\]]*\])*(\.\w+)*`)
)

// matcher reports which tags Match and Match_Regex may take. An expression may take any tag that is only partly known.
func matcher(match, regex string) (takes func(tag) bool, err error) {
	if regex == "" {
		return func(t tag) bool { return hostconf.MayMatch(match, t.text, t.wild) }, nil
	}
	x, err := regexp.Compile(`^(?:` + regex + `)`) // Fluent Bit looks for it at the start of the tag
	if err != nil {
		return nil, err
	}
	return func(t tag) bool {
		return t.wild || x.MatchString(t.text) || match != "" && hostconf.MayMatch(match, t.text, t.wild)
	}, nil
}
