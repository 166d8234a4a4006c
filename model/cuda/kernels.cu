// The kernels of the trainer, twins of the code for the CPU: relConv of package gnn is propagate and diagonal_grad, its
// decoder's loss is decode, decode_backward, gather_add and reduce, Adam of package optim is adam. Those of the
// reference objective are in reference.cuh.
//
// Sums over edges and over triplets are cut into pieces of bounded length. dest says where a
// piece's sum goes: a row of out, or, of a row with several pieces, ~slot; the slots of a row
// are pieces of the next level, summed by sum_slots. No atomic operation is used, so every sum
// has one order, and the same training gives the same numbers to the bit on the same card.
//
// All matrices are row-major with k columns, k a multiple of 4.
#include "device.h"

#define VEC(p) (*(vec4 *)(p))
#define CVEC(p) (*(const vec4 *)(p))
#define ROW(x, i) ((x) + (long)(i) * k)

// FOR_PIECES gives each team its pieces; out and slots are what it writes to.
#define FOR_PIECES(p) \
	for (int p = THREAD / LANES(team), lane = THREAD % LANES(team); p < pieces; p += THREADS / LANES(team))
#define FOR_COLUMNS(j) for (int j = 4 * lane; j < k; j += 4 * LANES(team))

DEVICE float *target(const int *dest, int p, float *out, float *slots, int k) {
	int at = dest[p];
	return at >= 0 ? ROW(out, at) : ROW(slots, ~at);
}

// propagate passes messages:
//
//	out[i] (+)= sum over edges e of row i of norm[e] w[rel[e]] * x[col[e]]
KERNEL propagate(const int *start, const int *dest, const int *col, const int *rel, const float *norm, const float *w,
                 const float *x, float *out, float *slots, int pieces, int k, int add, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		bool adds = add && dest[p] >= 0;
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
#pragma unroll 4
			for (int e = from; e < to; e++)
				sum += norm[e] * CVEC(ROW(w, rel[e]) + j) * CVEC(ROW(x, col[e]) + j);
			VEC(o + j) = adds ? VEC(o + j) + sum : sum;
		}
	}
}

// diagonal_grad is the gradient of diagonal relation weights:
//
//	out[r] = sum over edges e of relation r of norm[e] a[row[e]] * b[col[e]]
KERNEL diagonal_grad(const int *start, const int *dest, const int *row, const int *col, const float *norm,
                     const float *a, const float *b, float *out, float *slots, int pieces, int k, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
#pragma unroll 4
			for (int e = from; e < to; e++)
				sum += norm[e] * CVEC(ROW(a, row[e]) + j) * CVEC(ROW(b, col[e]) + j);
			VEC(o + j) = sum;
		}
	}
}

// sum_slots sums the slots of the level before.
KERNEL sum_slots(const int *start, const int *dest, float *out, float *slots, int pieces, int k, int add, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		bool adds = add && dest[p] >= 0;
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
			for (int e = from; e < to; e++)
				sum += CVEC(ROW(slots, e) + j);
			VEC(o + j) = adds ? VEC(o + j) + sum : sum;
		}
	}
}

// The decoder's sizes, as in cuda.go.
enum { COUNTED = 29, STRUCTURAL = 4, FEATURES = COUNTED + STRUCTURAL, HIDDEN = 32, NEAR = 4 };
enum { WALK, PROFILE, NEARBY, RELATION };                                                      // structural features
enum { DISTMULT, TRANSE, ROTATE };                                                             // relational scores
enum { A1 = 0, B1 = FEATURES * HIDDEN, A2 = B1 + HIDDEN, B2 = A2 + HIDDEN, DECODER = B2 + 1 }; // its parameters

#define WALK_SCALE 30.0f
#define PROFILE_SCALE 10.0f
#define DISTMULT_SCALE 10.0f
#define DISTANCE_FLOOR 1e-6f

// A batch is BATCH_WORDS arrays of n words, a triplet a column; the counted features follow,
// [n][COUNTED].
enum {
	SOURCE,
	REL,
	DESTINATION,
	NEAR_COUNT,
	NEAR_SOURCES,
	NEAR_ROWS,
	KEEP = NEAR_ROWS + NEAR,
	LABEL,
	WEIGHT,
	BATCH_WORDS
};
// Work is what decode leaves of each triplet for the kernels behind it, arrays of n likewise.
enum {
	F = 0,
	H = F + FEATURES,
	DH = H + HIDDEN,
	DY = DH + HIDDEN,
	LOSS,
	C_WALK,
	C_PROFILE,
	C_NEAR,
	C_RELATION,
	WORK_WORDS
};

DEVICE float dot4(vec4 a, vec4 b) {
	vec4 p = a * b;
	return p[0] + p[1] + p[2] + p[3];
}

DEVICE float dot(const float *a, const float *b, int k, int lane) {
	float sum = 0;
	for (int j = 4 * lane; j < k; j += 4 * WARP)
		sum += dot4(CVEC(a + j), CVEC(b + j));
	return team_sum(sum);
}

// asinh is log(x + sqrt(1 + x^2)), odd and without cancellation near 0.
DEVICE float asinh_(float x) {
	float a = __builtin_fabsf(x);
	float y = a + a * a / (1 + root(1 + a * a));
	// log(1 + y) by its series where the hardware's logarithm would lose digits
	float l = y < 0.01f ? y * (1 - y * (0.5f - y * (0.33333333f - y * 0.25f))) : logarithm(1 + y);
	return x < 0 ? -l : l;
}

// turn rotates a pair by the angle.
DEVICE void turn(float angle, float re, float im, float *sin_, float *cos_, float *to_re, float *to_im) {
	*sin_ = sine(angle);
	*cos_ = cosine(angle);
	*to_re = re * *cos_ - im * *sin_;
	*to_im = re * *sin_ + im * *cos_;
}

// relational is the score of s, relation w and d, brought to the scale of its mean.
DEVICE float relational(const float *s, const float *w, const float *d, int k, int kind, int lane) {
	float sum = 0;
	for (int j = 4 * lane; j < k; j += 4 * WARP) {
		vec4 a = CVEC(s + j), b = CVEC(d + j);
		if (kind == DISTMULT) {
			sum += dot4(a * CVEC(w + j), b);
		} else if (kind == TRANSE) {
			vec4 x = a + CVEC(w + j) - b;
			sum += dot4(x, x);
		} else {
			for (int i = 0; i < 4; i += 2) {
				float sn, cs, re, im;
				turn(w[(j + i) / 2], a[i], a[i + 1], &sn, &cs, &re, &im);
				re -= b[i];
				im -= b[i + 1];
				sum += re * re + im * im;
			}
		}
	}
	sum = team_sum(sum);
	if (kind == DISTMULT)
		return DISTMULT_SCALE * sum / k;
	return -root(sum / k + DISTANCE_FLOOR);
}

// decode scores n triplets, a warp each: features f, hidden units h, the loss, and the
// gradients of the logit, of the hidden units and of what the structural features are made of.
// structural holds the means and the inverse deviations of those features.
KERNEL decode(const int *batch, const float *u, const float *v, const float *m, const float *c, const float *rel,
              const float *param, const float *structural, float *work, int n, int k, int kind, float keep_scale) {
	const float *batch_f = (const float *)batch;
	for (int t = THREAD / WARP, lane = THREAD % WARP; t < n; t += THREADS / WARP) {
		int s = batch[SOURCE * n + t], r = batch[REL * n + t], d = batch[DESTINATION * n + t];
		bool known = s >= 0 && d >= 0;
		float f[FEATURES], raw[STRUCTURAL] = {0, 0, 0, 0};
#pragma unroll // f stays in registers
		for (int i = 0; i < COUNTED; i++)
			f[i] = batch_f[BATCH_WORDS * n + t * COUNTED + i];
		int near = batch[NEAR_COUNT * n + t];
		if (near > 0) {
			bool sources = batch[NEAR_SOURCES * n + t];
			const float *table = sources ? m : c, *of = ROW(table, sources ? s : d);
			float sum = 0;
			for (int i = 0; i < near; i++)
				sum += dot(of, ROW(table, batch[(NEAR_ROWS + i) * n + t]), k, lane);
			raw[NEARBY] = PROFILE_SCALE * sum / (near * k);
		}
		float value[STRUCTURAL] = {0, 0, asinh_(raw[NEARBY]), 0};
		if (known) {
			raw[WALK] = WALK_SCALE / k * dot(ROW(u, s), ROW(v, d), k, lane);
			raw[PROFILE] = PROFILE_SCALE / k * dot(ROW(m, s), ROW(c, d), k, lane);
			value[WALK] = asinh_(raw[WALK]);
			value[PROFILE] = asinh_(raw[PROFILE]);
			if (r >= 0)
				value[RELATION] = relational(ROW(u, s), ROW(rel, r), ROW(v, d), k, kind, lane);
		}
		for (int i = 0; i < STRUCTURAL; i++)
			f[COUNTED + i] = (value[i] - structural[i]) * structural[STRUCTURAL + i];

		// A lane has HIDDEN / WARP of the hidden units.
		int keep = batch[KEEP * n + t];
		float h[HIDDEN / WARP], dh[HIDDEN / WARP], y = 0;
		for (int i = 0; i < HIDDEN / WARP; i++) {
			int unit = lane + i * WARP;
			float x = param[B1 + unit];
#pragma unroll
			for (int a = 0; a < FEATURES; a++)
				x += f[a] * param[A1 + a * HIDDEN + unit];
			h[i] = x > 0 && (keep >> unit & 1) ? x * keep_scale : 0;
			y += param[A2 + unit] * h[i];
		}
		y = param[B2] + team_sum(y);
		float weight = batch_f[WEIGHT * n + t], label = batch_f[LABEL * n + t];
		float e = exponential(-__builtin_fabsf(y));
		float sigmoid = (y >= 0 ? 1 : e) / (1 + e);
		float dy = weight * (sigmoid - label);
		float df[STRUCTURAL] = {0, 0, 0, 0};
		for (int i = 0; i < HIDDEN / WARP; i++) {
			int unit = lane + i * WARP;
			dh[i] = h[i] > 0 ? dy * param[A2 + unit] * keep_scale : 0;
			for (int a = 0; a < STRUCTURAL; a++)
				df[a] += param[A1 + (COUNTED + a) * HIDDEN + unit] * dh[i];
			work[(H + unit) * n + t] = h[i];
			work[(DH + unit) * n + t] = dh[i];
		}
		float slope[STRUCTURAL]; // of the loss, by what stands before asinh and scaling
		for (int a = 0; a < STRUCTURAL; a++)
			slope[a] = team_sum(df[a]) * structural[STRUCTURAL + a];
		if (lane != 0)
			continue;
#pragma unroll
		for (int i = 0; i < FEATURES; i++)
			work[(F + i) * n + t] = f[i];
		work[DY * n + t] = dy;
		work[LOSS * n + t] = weight * ((y > 0 ? y : 0) + logarithm(1 + e) - label * y);
		// d asinh(x) = dx / sqrt(1 + x^2)
		work[C_WALK * n + t] = known ? slope[WALK] * WALK_SCALE / (k * root(1 + raw[WALK] * raw[WALK])) : 0;
		work[C_PROFILE * n + t] =
			known ? slope[PROFILE] * PROFILE_SCALE / (k * root(1 + raw[PROFILE] * raw[PROFILE])) : 0;
		work[C_NEAR * n + t] =
			near > 0 ? slope[NEARBY] * PROFILE_SCALE / (near * k * root(1 + raw[NEARBY] * raw[NEARBY])) : 0;
		float q = 0;
		if (known && r >= 0)
			q = slope[RELATION] * (kind == DISTMULT ? DISTMULT_SCALE / k : 1 / (k * value[RELATION]));
		work[C_RELATION * n + t] = q;
	}
}

// decode_backward adds up, for rows of sources (side 0), destinations (1) or relations (2), the gradients
// that walk and relational score send there from each triplet of item.
KERNEL decode_backward(const int *start, const int *dest, const int *item, const int *batch, const float *work,
                       const float *u, const float *v, const float *rel, float *out, float *slots, int pieces, int n,
                       int k, int side, int kind, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		bool adds = side != 2 && dest[p] >= 0;
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
			for (int i = from; i < to; i++) {
				int t = item[i], r = batch[REL * n + t];
				vec4 a = CVEC(ROW(u, batch[SOURCE * n + t]) + j), b = CVEC(ROW(v, batch[DESTINATION * n + t]) + j);
				float walk = work[C_WALK * n + t], q = work[C_RELATION * n + t];
				if (side == 0)
					sum += walk * b;
				else if (side == 1)
					sum += walk * a;
				if (r < 0)
					continue;
				const float *w = ROW(rel, r);
				if (kind == DISTMULT) {
					vec4 x = CVEC(w + j);
					sum += q * (side == 0 ? x * b : side == 1 ? a * x : a * b);
				} else if (kind == TRANSE) {
					vec4 x = q * (a + CVEC(w + j) - b);
					sum += side == 1 ? -x : x;
				} else {
					for (int i = 0; i < 4; i += 2) {
						float sn, cs, to_re, to_im;
						turn(w[(j + i) / 2], a[i], a[i + 1], &sn, &cs, &to_re, &to_im);
						float re = q * (to_re - b[i]), im = q * (to_im - b[i + 1]);
						if (side == 0) {
							sum[i] += re * cs + im * sn;
							sum[i + 1] += im * cs - re * sn;
						} else if (side == 1) {
							sum[i] -= re;
							sum[i + 1] -= im;
						} else {
							sum[i / 2] += im * to_re - re * to_im;
						}
					}
				}
			}
			if (side == 2 && kind == ROTATE) { // an angle for each pair: the row's first half
				o[j / 2] = sum[0];
				o[j / 2 + 1] = sum[1];
				o[k / 2 + j / 2] = o[k / 2 + j / 2 + 1] = 0;
			} else {
				VEC(o + j) = adds ? VEC(o + j) + sum : sum;
			}
		}
	}
}

// gather_add adds to rows of out the rows other of x, each with the coefficient of its triplet.
KERNEL gather_add(const int *start, const int *dest, const int *item, const int *other, const float *coefficient,
                  const float *x, float *out, float *slots, int pieces, int k, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		bool adds = dest[p] >= 0;
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
			for (int i = from; i < to; i++)
				sum += coefficient[item[i]] * CVEC(ROW(x, other[i]) + j);
			VEC(o + j) = adds ? VEC(o + j) + sum : sum;
		}
	}
}

// reduce sums over the batch: the gradients of the decoder's parameters, a warp each, and the loss.
KERNEL reduce(const float *work, float *grad, float *loss, int n) {
	for (int e = THREAD / WARP, lane = THREAD % WARP; e <= DECODER; e += THREADS / WARP) {
		const float *a, *b = 0;
		if (e < B1) {
			a = work + (F + e / HIDDEN) * n;
			b = work + (DH + e % HIDDEN) * n;
		} else if (e < A2) {
			a = work + (DH + e - B1) * n;
		} else if (e < B2) {
			a = work + (H + e - A2) * n;
			b = work + DY * n;
		} else {
			a = work + (e == B2 ? DY : LOSS) * n;
		}
		float sum = 0;
		for (int t = lane; t < n; t += WARP)
			sum += b ? a[t] * b[t] : a[t];
		sum = team_sum(sum);
		if (lane == 0)
			*(e < DECODER ? grad + e : loss) = sum;
	}
}

// adam is one step of Kingma and Ba 2015 with the usual decays; rate and epsilon have the
// corrections of the bias in them. decay is what weights lose beside it, not biases: it is for the
// decoder's parameters, and 0 for others. scale, unless null, is what gradients are multiplied by.
KERNEL adam(float *value, float *m, float *v, const float *grad, const float *scale, int n, float rate, float epsilon,
            float decay) {
	float times = scale ? *scale : 1;
	for (int i = THREAD; i < n; i += THREADS) {
		float g = times * grad[i];
		m[i] = 0.9f * m[i] + (1 - 0.9f) * g;
		v[i] = 0.999f * v[i] + (1 - 0.999f) * g * g;
		bool weight = i < B1 || (i >= A2 && i < B2);
		value[i] -= rate * m[i] / (root(v[i]) + epsilon) + (weight ? decay * value[i] : 0);
	}
}

#include "reference.cuh"
