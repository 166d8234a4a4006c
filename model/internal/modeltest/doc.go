// Package modeltest makes the graphs and the features of hosts on which the packages of the model are tested.
package modeltest
