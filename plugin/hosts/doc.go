// Package hosts says what is known of hosts beside their sessions: the networks that their
// addresses lie in, and what a CSV file tells of them.
//
// It owns the form of that file, and what people call a feature. It knows no graph and no model; a *Features is what
// package model asks for.
package hosts
