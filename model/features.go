package model

import "flb-filter-rgcn/model/internal/temporal"

// HostFeatures tells what is known of hosts beside their sessions: networks, roles, sites.
type HostFeatures = temporal.HostFeatures

// MaxFeatures is how many features of a host count.
const MaxFeatures = temporal.MaxFeatures
