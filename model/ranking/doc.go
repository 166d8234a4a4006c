// Package ranking holds scores with weights and what is read off their order: the area under the ROC
// curve, and the score below which a given number of them lie.
package ranking
