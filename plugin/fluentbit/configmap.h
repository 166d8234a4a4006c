/* The table of properties that the host checks a configuration against and prints for -h. */
#ifndef RGCN_CONFIGMAP_H
#define RGCN_CONFIGMAP_H

#pragma GCC visibility push(hidden)

/*
 * rgcn_config_map returns NULL where the layout of the host's table cannot be found out. Then -h prints no properties and
 * the host accepts a misspelt one; the Go side still checks the values of the others.
 */
void *rgcn_config_map(void);

#pragma GCC visibility pop

#endif
