package doctor

import (
	"fmt"
	"time"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/filter"
)

// deviceTimeout is how long a driver may take to answer.
const deviceTimeout = 20 * time.Second

// devices reports what each filter trains on.
func (e *examination) devices() {
	var why error // why there is no card; the same for all filters
	asked := false
	for _, p := range e.targets {
		if !p.valid {
			continue
		}
		if p.config.State.From != "" {
			continue // it does not train
		}
		at := p.where("train_device")
		switch device := p.config.Train.Device; device {
		case model.CPU:
			e.findings.add(OK, TopicDevice, at, p.name+" trains on the CPU, as set", "")
		case model.Auto:
			if !asked {
				cfg := filter.ModelConfig(p.config)
				cfg.Device = model.CUDA
				why, asked = withTimeout(func() error { return model.CheckDevice(cfg) }), true
			}
			if why != nil {
				e.findings.add(OK, TopicDevice, at, fmt.Sprintf("%s trains on the CPU; there is no GPU for it: %v", p.name, why), "")
			} else {
				e.findings.add(OK, TopicDevice, at, p.name+" trains on the CPU, graphs of 20,000 triplets and more on the GPU", "")
			}
		default: // that it is there was checked with the settings
			e.findings.add(OK, TopicDevice, at, p.name+" trains on "+device, "")
		}
	}
}

// withTimeout returns an error if do takes too long, and leaves it running.
func withTimeout(ask func() error) error {
	answer := make(chan error, 1)
	go func() { answer <- ask() }()
	select {
	case err := <-answer:
		return err
	case <-time.After(deviceTimeout):
		return fmt.Errorf("the driver did not answer within %v", deviceTimeout)
	}
}
