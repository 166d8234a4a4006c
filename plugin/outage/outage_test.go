package outage

import (
	"testing"
	"time"
)

func TestAnOutageIsSaidAtGrowingIntervals(t *testing.T) {
	var o Outage
	begin := time.Unix(1e9, 0)
	var said []time.Duration
	for d := time.Duration(0); d <= 72*time.Hour; d += 10 * time.Second {
		if o.Failed(begin.Add(d)) {
			said = append(said, d)
		}
	}
	if len(said) < 10 || len(said) > 14 || said[0] != 0 || said[1] != time.Minute || said[2] != 3*time.Minute {
		t.Errorf("said at %v", said)
	}
	for i := 2; i < len(said); i++ {
		if was, is := said[i-1]-said[i-2], said[i]-said[i-1]; is != min(2*was, lastPause) {
			t.Errorf("%v after %v", is, was)
		}
	}
	if n, since := o.Over(); n != 72*360+1 || !since.Equal(begin) || o.Failures() != 0 {
		t.Errorf("%d since %v", n, since)
	}
	if !o.Failed(begin.Add(100 * time.Hour)) {
		t.Error("the next outage is not said")
	}
}

func TestRetry(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 3: 4 * time.Second, 100: time.Minute} {
		for range 100 {
			if d := Retry(failures, time.Minute); d < want*9/10 || d > want*11/10 {
				t.Fatalf("after %d failures %v, want about %v", failures, d, want)
			}
		}
	}
}
