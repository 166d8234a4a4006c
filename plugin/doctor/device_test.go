package doctor

import (
	"errors"
	"testing"

	"flb-filter-rgcn/model"
)

func TestDevices(t *testing.T) {
	with := func(device string) *examination {
		return examine(t, Options{Conf: conf(t, "", "Train_Device "+device)}, (*examination).devices)
	}
	with("cpu").has(t, OK, TopicDevice, "fluent-bit.conf:8", "trains on the CPU, as set")
	want := "graphs of 20,000 triplets and more on the GPU"
	if model.CheckDevice(model.Config{Device: model.CUDA}) != nil {
		want = "there is no GPU for it: "
	}
	with("auto").has(t, OK, TopicDevice, want)
	with("cuda:63").has(t, Problem, TopicSettings, "train.device")
}

func TestWithTimeout(t *testing.T) {
	want := errors.New("none")
	if err := withTimeout(func() error { return want }); err != want {
		t.Error(err)
	}
}
