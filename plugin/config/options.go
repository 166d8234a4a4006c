package config

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Option describes one key.
type Option struct {
	Section, Key string // Section is "" for a top-level key
	Type         string // boolean, integer, number, duration, text, keys
	Default      string // as a property would give it
	Allowed      string // completes the phrase "want ..."
	Text         string // what the key means, in a sentence or two

	set func(*Config, any) bool // from a TOML value; false: not allowed
	get func(*Config) string    // as a property would give it

	address bool             // a user and a password may be in it, which nobody is shown
	meant   func(any) string // what a refused value most likely means, "" where that is not known; nil: nobody knows
}

const (
	typeBoolean  = "boolean"
	typeInteger  = "integer"
	typeNumber   = "number"
	typeDuration = "duration"
	typeText     = "text"
	typeFields   = "keys"
)

// Name is the key with its section, as errors name it.
func (o Option) Name() string {
	if o.Section == "" {
		return o.Key
	}
	return o.Section + "." + o.Key
}

// Property is the name of the host's property, in lower case: the section stands before the key,
// except for the keys of fields and top-level ones.
func (o Option) Property() string {
	if o.Section == "" || o.Section == "fields" {
		return o.Key
	}
	return o.Section + "_" + o.Key
}

// Value is the option's value in c, as a property would give it.
func (o Option) Value(c *Config) string { return o.get(c) }

// refuse is the error for a value that is not allowed.
func (o *Option) refuse(where string, value any) error {
	if o.address {
		value = hidden(value)
	}
	if o.meant != nil {
		if meant := o.meant(value); meant != "" {
			return fmt.Errorf("%s = %s: did you mean %s? A condition has one = and no quotes", where, show(value), meant)
		}
	}
	return fmt.Errorf("%s = %s: want %s", where, show(value), o.Allowed)
}

// Options returns a copy of the table, in the order of conf/rgcn.toml.
func Options() []Option { return append([]Option(nil), options...) }

func lookup(name string) (*Option, bool) {
	for i := range options {
		if options[i].Name() == name {
			return &options[i], true
		}
	}
	return nil, false
}

var options = []Option{
	boolean("", "explain", "false",
		"Also add score_reason (why a score is what it is) and score_model (when the model was trained), and to records with low_score the "+
			"evidence: score_lower_per_day, score_pair_first_seen and others, see conf/README.md.",
		func(c *Config) *bool { return &c.Explain }),
	choice("", "field_style", "plain", []string{"plain", "ecs"},
		"Names of the added fields: plain gives score, low_score, score_reason and score_model; ecs keeps them apart from "+
			"the Elastic Common Schema's own, as rgcn.score, rgcn.low_score, rgcn.reason and rgcn.model.",
		func(c *Config) *string { return &c.FieldStyle }),
	option("", "allow", typeText, "", "the path of a CSV file, or \"\" for none",
		"CSV file of sessions that are judged already: columns source, relation, destination, from, until, note, verdict. Those of a line get no "+
			"low_score, or, where verdict is bad, always one. Read again when it changes; a bad line is logged, and the list stays as it was.",
		func(c *Config) *string { return &c.Allow }, text),
	place("", "publish", "Where to publish graph and model after each training, for filters with state.from: a directory or a file, a server that takes PUT, or "+
		"S3. See conf/fleet/README.md.",
		func(c *Config) *string { return &c.Publish.To }),
	path("", "publish_key", "the path of a file with a private key (rgcn keygen makes one), or \"\" for none",
		"Private key (ed25519, PEM, readable by its owner alone) that signs what is published.",
		func(c *Config) *string { return &c.Publish.Key }),
	boolean("", "publish_unsigned", "false",
		"Publish without a signature: whoever can write to the place then decides what filters with state.unsigned score by.",
		func(c *Config) *bool { return &c.Publish.Unsigned }),

	choice("fields", "preset", "zeek", presetNames,
		"Which fields hold source, destination, relation and time: zeek is Zeek's ssh.log, ecs the Elastic "+
			"Common Schema, openssh the messages of sshd and Dropbear themselves, teleport the audit events of Teleport, custom what "+
			"the keys below name.",
		func(c *Config) *string { return &c.Fields.Preset }),
	joined("source", "Field of the host that connects. Several are joined with \"|\": user and host, say. With \"a else b\" the first "+
		"of several that has a value counts. Empty: the preset's.", func(c *Config) *[][]string { return &c.Fields.Source }),
	joined("destination", "Field of the host connected to, as in source. Empty: the preset's.",
		func(c *Config) *[][]string { return &c.Fields.Destination }),
	joined("relation", "Field that tells kinds of connections apart: the client's banner, a user, a method, as in source. "+
		"Empty: the preset's.",
		func(c *Config) *[][]string { return &c.Fields.Relation }),
	option("fields", "under", typeText, "", "the path of a key, such as zeek, a.b or $a['b'], or \"\" for the record itself",
		"Key under which all of these fields lie, the preset's too.",
		func(c *Config) *string { return &c.Fields.Under },
		func(raw any) (string, bool) { s, ok := raw.(string); return s, ok && (s == "" || isKey(s)) }),
	conditions("only", fmt.Sprintf("key=value, key=value|value or key!=value, or a list of 1 to %d of them (in a property: with commas between)", maxListKeys),
		"Conditions that a record must fulfil, all of them, to be counted and scored; others pass untouched. Of a list that is a value the "+
			"first element counts. T and F of Zeek's rows are the same as true and false. Empty: the preset's.",
		func(c *Config) *[]Condition { return &c.Fields.Only }),
	option("fields", "cut_ports", typeText, "auto", "auto, on or off",
		"Cut the port behind a source or a destination: 192.0.2.1:50000, [2001:db8::1]:22. auto is on with all presets but custom.",
		func(c *Config) *string { return &c.Fields.Ports },
		func(raw any) (string, bool) {
			switch text := strings.ToLower(fmt.Sprint(raw)); text {
			case "auto", "on", "off":
				return text, true
			case "true", "yes":
				return "on", true
			case "false", "no":
				return "off", true
			}
			return "", false
		}),
	option("fields", "time", typeFields, "",
		fmt.Sprintf("the path of a field (key, key.sub or $key['sub']), or a list of 1 to %d of them (in a property: with commas between)", maxListKeys),
		"Field of the event's time: seconds (or milli-, micro-, nanoseconds) since 1970, ISO 8601, or syslog's. Several are tried in order; without one "+
			"in the record, the time that the input gave it counts. Empty: the preset's.",
		func(c *Config) *[]string { return &c.Fields.Time }, readPlainKeys),
	name("score", "Name of the added field with the score, 0 to 1; low is unusual. Set, it overrides field_style.",
		func(c *Config) *string { return &c.Fields.Score }),
	name("low_score", "Name of the added field that is true when the score is below the threshold. Set, it overrides field_style.",
		func(c *Config) *string { return &c.Fields.LowScore }),
	name("source_alert", "Name of the added field that is true on the session at which its source is reported, once within 24 hours. Set, it overrides field_style.",
		func(c *Config) *string { return &c.Fields.SourceAlert }),

	integer("graph", "max_nodes", "100000", 16, 10_000_000,
		"Hosts remembered; beyond it the least recently seen go.",
		func(c *Config) *int { return &c.Graph.MaxNodes }),
	integer("graph", "max_relations", "1000", 2, 100_000,
		"Distinct relations remembered; beyond it the least recently seen go.",
		func(c *Config) *int { return &c.Graph.MaxRelations }),
	integer("graph", "max_edges", "500000", 16, 50_000_000,
		"Distinct triplets (source, relation, destination) remembered; beyond it the least recently seen go.",
		func(c *Config) *int { return &c.Graph.MaxEdges }),
	duration("graph", "window", "30d", time.Minute, "for no limit",
		"Triplets not seen for this long, by event time, are forgotten. A longer pause counts for a quarter of it, or for a day if that is more.",
		func(c *Config) *time.Duration { return &c.Graph.Window }),

	userHidden(option("graph", "source", typeText, "", "the address of an index, such as \"https://127.0.0.1:9200/logs-ssh.rgcn-default\", or \"\" for none",
		"Index, data stream or pattern of Elasticsearch or OpenSearch that holds the records of many agents, this one's too. The graph takes in what "+
			"they saw, at the start and before each training; what this one saw itself counts once. The fields are those of the section fields.",
		func(c *Config) *string { return &c.Graph.Source },
		func(raw any) (string, bool) { s, ok := raw.(string); return s, ok && (s == "" || isIndexAddress(s)) })),
	option("graph", "source_credentials", typeText, "", "the path of a file, or \"\" for none",
		"File with one line, user:password or ApiKey and a key, for the server of source. Without, ES_API_KEY or ES_AUTH (user:password) in the environment.",
		func(c *Config) *string { return &c.Graph.SourceCredentials }, func(raw any) (string, bool) { s, ok := raw.(string); return s, ok }),
	option("graph", "source_ca", typeText, "", "the path of a file, or \"\" for none",
		"File with certificates, PEM, that vouch for the server of source. Without, the system's.",
		func(c *Config) *string { return &c.Graph.SourceCA }, func(raw any) (string, bool) { s, ok := raw.(string); return s, ok }),
	option("graph", "source_query", typeText, "", "a query of Elasticsearch as a JSON object, or \"\" for none",
		"Query that documents of source have to fulfil beside the conditions of only.",
		func(c *Config) *string { return &c.Graph.SourceQuery },
		func(raw any) (string, bool) { s, ok := raw.(string); return s, ok && (s == "" || isObject(s)) }),

	choice("model", "objective", "temporal", []string{"temporal", "reference"},
		"What the model learns: temporal predicts the triplets after a cut in time from those before it; reference is the "+
			"algorithm of the notebook, for comparison, with defaults of its own: dim 32, dropout 0.2, steps 500, learning_rate 0.01. "+
			"It scores 0 what came after its training, and does not read layer1, layer2, negatives, threads and tolerance.",
		func(c *Config) *string { return &c.Model.Objective }),
	option("model", "dim", typeInteger, "0", "a multiple of 4 from 8 to 1024, or 0 to go by the size of the graph",
		"Dimension of the embeddings: more is sharper and costs proportionally more time and memory. 0: 512 for up to 10,000 triplets, "+
			"256 for up to 40,000, 128 beyond.",
		func(c *Config) *int { return &c.Model.Dim },
		func(raw any) (int, bool) {
			n, ok := raw.(int64)
			return int(n), ok && (n == 0 || n >= 8 && n <= 1024 && n%4 == 0)
		}),
	choice("model", "decoder", "distmult", []string{"distmult", "transe", "rotate"},
		"How source, relation and destination meet in the relational part of the score.",
		func(c *Config) *string { return &c.Model.Decoder }),
	layer("layer1", "Weights per relation of the first layer: one diagonal, N shared bases, or a full matrix. Bases and full matrices train on the CPU alone, "+
		"and much slower: basis:3 took 42 times, full 10 times as long for 600 sessions.",
		func(c *Config) *string { return &c.Model.Layer1 }),
	layer("layer2", "Weights per relation of the second layer, as in layer1.",
		func(c *Config) *string { return &c.Model.Layer2 }),
	number("model", "dropout", "0.1", false, 0, 0.9,
		"Share of values dropped in training, against overfitting.",
		func(c *Config) *float64 { return &c.Model.Dropout }),
	option("model", "features", typeText, "", "the path of a CSV file, or \"\" for none",
		"CSV file of what is known of hosts: the first line names the columns, the first column the host as the records do, the others "+
			"are features (site, role; numbers are cut into eight parts). Read at the start. Not read by the objective reference.",
		func(c *Config) *string { return &c.Model.Features }, func(raw any) (string, bool) { s, ok := raw.(string); return s, ok }),
	boolean("model", "prefixes", "true",
		"Let the networks of addresses (/24 and /16, /64 and /48) be features of hosts, and of names what stands before a number "+
			"(web- of web-7f3a) and the domain. So new hosts are judged by those like them. Not read by the objective reference.",
		func(c *Config) *bool { return &c.Model.Prefixes }),

	duration("train", "interval", "10m", time.Second, "to never train and only score",
		"Time between two trainings.", func(c *Config) *time.Duration { return &c.Train.Interval }),
	option("train", "min_edges", typeInteger, "0", "an integer from 8 to 50000000, or 0 to go by the time",
		"Distinct triplets before the first training. 0: 50, or 8 once the sessions span a day, for small networks. With fewer there is no model.",
		func(c *Config) *int { return &c.Train.MinEdges },
		func(raw any) (int, bool) {
			n, ok := raw.(int64)
			return int(n), ok && (n == 0 || n >= 8 && n <= 50_000_000)
		}),
	integer("train", "min_new_edges", "1", 0, 50_000_000,
		"Distinct triplets new since the last training, without which a training is skipped. Once a day one comes all the same, "+
			"if any sessions came: counts and ages grow, too.",
		func(c *Config) *int { return &c.Train.MinNewEdges }),
	integer("train", "steps", "400", 1, 100_000,
		"Optimisation steps of one training, before it is judged by the newest activity. A quarter as many follow, which learn from that too. "+
			"A training that goes on from a previous model makes fewer, in proportion to what is new since then: at most a quarter.", func(c *Config) *int { return &c.Train.Steps }),
	number("train", "learning_rate", "0.005", true, 0, 1,
		"Step size of the optimiser.", func(c *Config) *float64 { return &c.Train.LearningRate }),
	integer("train", "negatives", "4", 1, 64,
		"Negative samples for each true triplet.", func(c *Config) *int { return &c.Train.Negatives }),
	integer("train", "sample", "1000", 1, 1_000_000,
		"Events of a step, of the objective reference.", func(c *Config) *int { return &c.Train.Sample }),
	option("train", "share", typeNumber, "0.8", "a number above 0 and below 1",
		"Share of the events that train, of the objective reference; the rest judge.",
		func(c *Config) *float64 { return &c.Train.Share },
		func(raw any) (float64, bool) { v, ok := float(raw); return v, ok && v > 0 && v < 1 }),
	// TOML's integers are signed, hence the upper end.
	option("train", "seed", typeInteger, "1", "an integer from 0 to 9223372036854775807",
		"Seed of all random draws: the same seed over the same graph gives the same model.",
		func(c *Config) *uint64 { return &c.Train.Seed },
		func(raw any) (uint64, bool) { n, ok := raw.(int64); return uint64(n), ok && n >= 0 }),
	integer("train", "threads", "1", 1, 64,
		"Threads of a training on the CPU, or of the preparation of one on a card; they run at the lowest priority.",
		func(c *Config) *int { return &c.Train.Threads }),
	option("train", "device", typeText, "auto", "auto, cpu, cuda or cuda:N with N from 0 to 63",
		"Where to train: auto takes a GPU where there is one for graphs of 20,000 triplets and more, cuda fails without.",
		func(c *Config) *string { return &c.Train.Device },
		func(raw any) (string, bool) {
			s, ok := raw.(string)
			return s, ok && (s == "auto" || s == "cpu" || s == "cuda" || numbered(s, "cuda:", 0, 63))
		}),
	number("train", "tolerance", "0.02", false, 0, 1,
		"How much worse than the current model, on the same held-out events, a new one may be and still "+
			"replace it.", func(c *Config) *float64 { return &c.Train.Tolerance }),

	duration("train", "hold", "0", time.Hour, "to learn all at once",
		"Time for which a triplet that had a low score is not learned: until it comes again after it, or the list of judged sessions allows it. "+
			"With graph.source those count too that other agents gave a low score, by the field low_score of the index. "+
			"Against intruders who take weeks: with 3d simulations found more of what one of them did, and about as much of other attacks "+
			"(model/eval/experiments.md). Refused beside the objective reference.",
		func(c *Config) *time.Duration { return &c.Train.Hold }),
	integer("train", "max_memory", "1024", 0, 1_000_000,
		"Memory in MiB that a training may take while it runs. It never takes more than four fifths of what the limits of containers and of "+
			"the machine leave. A training that would need more takes a smaller dimension (where dim is 0), or is put off and the log says why. "+
			"0: only those limits count.",
		func(c *Config) *int { return &c.Train.MaxMemory }),

	choice("threshold", "method", "budget", []string{"sigma", "quantile", "budget"},
		"How the threshold for low_score is found: budget flags the lowest scores of a day, as many as per_day says, but never a "+
			"score of 0.2 or more, from which on a session is likelier real than invented (one in 1 + train.negatives); sigma goes k standard deviations below the mean, quantile takes the lowest share.", func(c *Config) *string { return &c.Threshold.Method }),
	number("threshold", "k", "2", false, 0, 10,
		"Standard deviations below the mean, for sigma.", func(c *Config) *float64 { return &c.Threshold.K }),
	option("threshold", "quantile", typeNumber, "0.01", "a number above 0 and below 1",
		"Share of the events with a low score, for quantile.",
		func(c *Config) *float64 { return &c.Threshold.Quantile },
		func(raw any) (float64, bool) { v, ok := float(raw); return v, ok && v > 0 && v < 1 }),
	number("threshold", "per_day", "20", true, 0, 1e6,
		"Distinct triplets with a low score on a usual day, for budget, which the scores of the last ten days keep it to. 0.2 is one "+
			"in five days; less than 0.1 gives about one in ten days all the same. Above 10,000 it is not kept to: the threshold is then set by the sessions that a training holds out, "+
			"once a training.", func(c *Config) *float64 { return &c.Threshold.PerDay }),

	number("threshold", "sources_per_day", "10", false, 0, 1024,
		"Sources reported on a usual day, those whose odd sessions of the last 24 hours are the strangest when taken together. Each is reported once within "+
			"that time, by the field source_alert. 0: none. Evidence is kept of 1,024 sources.", func(c *Config) *float64 { return &c.Threshold.SourcesPerDay }),

	option("state", "dir", typeText, "", "a directory, or \"\" for memory only",
		"Directory for model and graph, written around each training, in between as often as interval says, and at exit. Each filter instance needs "+
			"its own. Empty: both are lost at exit.",
		func(c *Config) *string { return &c.State.Dir }, func(raw any) (string, bool) { s, ok := raw.(string); return s, ok }),
	boolean("state", "required", "false",
		"Refuse to start where state.dir cannot be written. Without, the filter says so in an error and works in memory. A directory that another filter "+
			"uses always stops the start.",
		func(c *Config) *bool { return &c.State.Required }),
	duration("state", "interval", "5m", time.Second, "to save with trainings and at exit only",
		"Time after which the graph is saved if records came since it was last written: what a host that is killed loses at most.",
		func(c *Config) *time.Duration { return &c.State.Interval }),
	place("state", "from", "Where a trainer publishes graph and model. This filter takes them from there, adds what it saw since, and does not train itself: "+
		"train.interval is 0. See conf/fleet/README.md.",
		func(c *Config) *string { return &c.State.From }),
	path("state", "key", "the path of a file with public keys, or \"\" for none",
		"Public key (ed25519, PEM) of the trainer; a state that none of the keys in the file has signed is refused.",
		func(c *Config) *string { return &c.State.Key }),
	boolean("state", "unsigned", "false",
		"Take states without a signature, too: whoever can write to the place, or pretends to be it, then decides what this filter scores by.",
		func(c *Config) *bool { return &c.State.Unsigned }),
	duration("state", "poll", "1m", time.Second, "to look until the first look after the start that is in order",
		"Time between two looks at state.from, give or take a tenth.", func(c *Config) *time.Duration { return &c.State.Poll }),
	duration("state", "old_after", "1d", time.Minute, "to say nothing",
		"Age of the published state from which on the filter says that no trainer seems to be at work. It goes on scoring by it.",
		func(c *Config) *time.Duration { return &c.State.OldAfter }),

	path("fleet", "credentials", "the path of a file, or \"\" for the environment",
		"File with what the servers of publish and state.from ask for, lines of KEY = VALUE: user and password, or token; for S3 aws_access_key_id, "+
			"aws_secret_access_key, aws_session_token. Without it RGCN_FLEET_USER, RGCN_FLEET_PASSWORD, RGCN_FLEET_TOKEN and the AWS_ variables count.",
		func(c *Config) *string { return &c.Fleet.Credentials }),
	path("fleet", "ca_file", "the path of a PEM file, or \"\" for the system's",
		"Certificates of the authorities that vouch for the servers of publish and state.from.",
		func(c *Config) *string { return &c.Fleet.CAFile }),
	endpoint("fleet", "s3_endpoint", "a URL such as https://minio.example.com:9000, or \"\" for Amazon's",
		"Server for places that begin with s3://.",
		func(c *Config) *string { return &c.Fleet.S3Endpoint }),
	option("fleet", "s3_region", typeText, "", "a region such as eu-central-1, or \"\"",
		"Region for places that begin with s3://. Empty: that of the credentials or of AWS_REGION, else us-east-1.",
		func(c *Config) *string { return &c.Fleet.S3Region }, text),

	option("metrics", "listen", typeText, "", "a host and a port of 1 to 65535 such as \"127.0.0.1:2023\", or \"\" for none",
		"Address at which the filter serves /metrics for Prometheus, /healthz, and / with a live picture of "+
			"the graph, over plain HTTP. Each filter instance needs its own.",
		func(c *Config) *string { return &c.Metrics.Listen },
		func(raw any) (string, bool) { s, ok := raw.(string); return s, ok && (s == "" || isAddress(s)) }),
	boolean("metrics", "allow_remote", "false",
		"Let metrics.listen be an address that other machines reach. Whoever reaches it sees host names and "+
			"low scores: there is no password.",
		func(c *Config) *bool { return &c.Metrics.AllowRemote }),
}

// userHidden keeps a user and a password in an address out of errors.
func userHidden(o Option) Option {
	o.address = true
	return o
}

// isIndexAddress tells the address of an index of a search server.
func isIndexAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") != "" &&
		u.RawQuery == "" && u.Fragment == ""
}

// isObject tells a JSON object.
func isObject(s string) bool {
	var o map[string]any
	return json.Unmarshal([]byte(s), &o) == nil && o != nil
}

// isAddress tells a host and a port that a server can listen on.
func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && n > 0
}
