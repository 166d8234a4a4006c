// The kernels of the reference objective, twins of package baseline's network: a table of
// node embeddings x, a diagonal and a full relational layer, dropout, a decoder without parameters
// of its own but the relations' vectors, regularisation, clipping.
//
// A group is the messages of one relation to one target; what they bring is summed first (gather_add),
// so that there is one product with a relation's weights for each group.

// word is number at of the draws of a stream: Philox4x32-10 (Salmon et al. 2011), as package model has it.
DEVICE unsigned word(unsigned key0, unsigned key1, unsigned long stream, unsigned long at) {
	unsigned long block = at >> 2;
	unsigned c0 = block, c1 = block >> 32, c2 = stream, c3 = stream >> 32;
	for (int i = 0; i < 10; i++) {
		unsigned long a = (unsigned long)0xD2511F53u * c0, b = (unsigned long)0xCD9E8D57u * c2;
		unsigned was1 = c1, was3 = c3;
		c0 = (unsigned)(b >> 32) ^ was1 ^ key0;
		c1 = b;
		c2 = (unsigned)(a >> 32) ^ was3 ^ key1;
		c3 = a;
		key0 += 0x9E3779B9u;
		key1 += 0xBB67AE85u;
	}
	switch (at & 3) {
	case 0: return c0;
	case 1: return c1;
	case 2: return c2;
	}
	return c3;
}

// kept is by what dropout multiplies an element: 0, or what keeps the mean.
DEVICE float kept(unsigned key0, unsigned key1, unsigned long stream, unsigned long at, float share) {
	if (share == 0)
		return 1;
	return (word(key0, key1, stream, at) >> 8) * (1.0f / (1 << 24)) >= share ? 1 / (1 - share) : 0;
}

// product is columns j to j+3 of W x, or of its transpose's product with x, for W [k][k].
DEVICE vec4 product(const float *w, const float *x, int j, int k, bool transposed) {
	vec4 sum = {0, 0, 0, 0};
	if (transposed) {
		for (int c = 0; c < k; c++)
			sum += x[c] * CVEC(w + (long)c * k + j);
	} else {
		for (int c = 0; c < k; c += 4) {
			vec4 v = CVEC(x + c);
#pragma unroll
			for (int i = 0; i < 4; i++)
				sum[i] += dot4(CVEC(w + (long)(j + i) * k + c), v);
		}
	}
	return sum;
}

// layer_forward computes rows of y = activation(bias + loop x[i] + sum over groups g to i of W_r sums[g]),
// W_r a diagonal or a full matrix, the activation dropout and, if relu, a ReLU before it. Groups
// first[i] to first[i+1] of the list byTarget are those to i.
KERNEL layer_forward(const float *x, const float *loop, const float *bias, const float *w, const float *sums,
                     const int *first, const int *byTarget, const int *rel, float *y, int rows, int k, int full,
                     int relu, unsigned key0, unsigned key1, unsigned long stream, unsigned long at, float share,
                     int team) {
	int pieces = rows;
	FOR_PIECES(i) {
		FOR_COLUMNS(j) {
			vec4 sum = CVEC(bias + j) + product(loop, ROW(x, i), j, k, false);
			for (int e = first[i]; e < first[i + 1]; e++) {
				int g = byTarget[e];
				if (full)
					sum += product(w + (long)rel[g] * k * k, ROW(sums, g), j, k, false);
				else
					sum += CVEC(ROW(w, rel[g]) + j) * CVEC(ROW(sums, g) + j);
			}
#pragma unroll
			for (int c = 0; c < 4; c++) {
				float v = relu && sum[c] <= 0 ? 0 : sum[c];
				sum[c] = v == 0 ? 0 : v * kept(key0, key1, stream, at + (long)i * k + j + c, share);
			}
			VEC(ROW(y, i) + j) = sum;
		}
	}
}

// self_loop_backward sends the gradients dy of a layer's rows back: dx[i] = loop^T dy[i].
KERNEL self_loop_backward(const float *dy, const float *loop, float *dx, int rows, int k, int team) {
	int pieces = rows;
	FOR_PIECES(i)
	FOR_COLUMNS(j)
	VEC(ROW(dx, i) + j) = product(loop, ROW(dy, i), j, k, true);
}

// group_backward is the same for the groups: dsums[g] = W_r^T dy[dst[g]].
KERNEL group_backward(const float *dy, const float *w, const int *rel, const int *dst, float *dsums, int groups, int k,
                      int full, int team) {
	int pieces = groups;
	FOR_PIECES(g) {
		const float *d = ROW(dy, dst[g]);
		FOR_COLUMNS(j)
		VEC(ROW(dsums, g) + j) =
			full ? product(w + (long)rel[g] * k * k, d, j, k, true) : CVEC(ROW(w, rel[g]) + j) * CVEC(d + j);
	}
}

// outer is the gradient of full matrices: out[r] = sum over items e of r of a[row[e]] b[col[e]]^T. Rows
// of out and slots have k * k columns, of which side is k.
KERNEL outer(const int *start, const int *dest, const int *row, const int *col, const float *a, const float *b,
             float *out, float *slots, int pieces, int k, int side, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
			for (int e = from; e < to; e++)
				sum += a[(long)row[e] * side + j / side] * CVEC(b + (long)col[e] * side + j % side);
			VEC(o + j) = sum;
		}
	}
}

// relu_backward undoes the first activation: what passed the ReLU and was not dropped has the slope keep.
KERNEL relu_backward(float *dy, const float *y, int n, float keep) {
	for (int i = THREAD; i < n; i += THREADS)
		dy[i] = y[i] > 0 ? dy[i] * keep : 0;
}

// dropout_backward multiplies by what dropout did.
KERNEL dropout_backward(float *dy, int n, unsigned key0, unsigned key1, unsigned long stream, unsigned long at,
                        float share) {
	for (int i = THREAD; i < n; i += THREADS)
		dy[i] *= kept(key0, key1, stream, at + i, share);
}

// l2_grad is the gradient of the mean of squares, times what the caller says.
KERNEL l2_grad(const float *x, float *dx, int n, float times) {
	for (int i = THREAD; i < n; i += THREADS)
		dx[i] = times * x[i];
}

// score_loss scores n triplets, a warp each, the first half true: the loss, and the gradient of the logit.
KERNEL score_loss(const int *batch, const float *x, const float *rel, float *loss, float *slope, int n, int k,
                  int kind) {
	for (int t = THREAD / WARP, lane = THREAD % WARP; t < n; t += THREADS / WARP) {
		const float *s = ROW(x, batch[t]), *w = ROW(rel, batch[n + t]), *d = ROW(x, batch[2 * n + t]);
		float sum = 0;
		for (int j = 4 * lane; j < k; j += 4 * WARP) {
			vec4 a = CVEC(s + j), r = CVEC(w + j), b = CVEC(d + j);
			vec4 v = kind == DISTMULT ? a * r * b : kind == TRANSE ? a + r - b : a * r - b;
#pragma unroll
			for (int c = 0; c < 4; c++)
				sum += kind == DISTMULT ? v[c] : kind == TRANSE ? __builtin_fabsf(v[c]) : -__builtin_fabsf(v[c]);
		}
		float y = team_sum(sum);
		if (lane != 0)
			continue;
		float label = t < n / 2 ? 1 : 0, e = exponential(-__builtin_fabsf(y));
		loss[t] = ((y > 0 ? y : 0) + logarithm(1 + e) - label * y) / n;
		slope[t] = ((y >= 0 ? 1 : e) / (1 + e) - label) / n;
	}
}

DEVICE vec4 sign(vec4 x) {
	vec4 s;
#pragma unroll
	for (int c = 0; c < 4; c++)
		s[c] = x[c] > 0 ? 1 : x[c] < 0 ? -1 : 0;
	return s;
}

// score_backward adds up the gradients by the embeddings of sources (side 0), destinations (1) or by the
// relations' vectors (2) from the triplets of item.
KERNEL score_backward(const int *start, const int *dest, const int *item, const int *batch, const float *slope,
                      const float *x, const float *rel, float *out, float *slots, int pieces, int n, int k, int side,
                      int kind, int team) {
	FOR_PIECES(p) {
		int from = start[p], to = start[p + 1];
		float *o = target(dest, p, out, slots, k);
		bool adds = dest[p] >= 0;
		FOR_COLUMNS(j) {
			vec4 sum = {0, 0, 0, 0};
			for (int i = from; i < to; i++) {
				int t = item[i];
				vec4 a = CVEC(ROW(x, batch[t]) + j), r = CVEC(ROW(rel, batch[n + t]) + j),
					 b = CVEC(ROW(x, batch[2 * n + t]) + j);
				if (kind == DISTMULT) {
					sum += slope[t] * (side == 0 ? r * b : side == 1 ? a * r : a * b);
				} else if (kind == TRANSE) {
					vec4 g = slope[t] * sign(a + r - b);
					sum += side == 1 ? -g : g;
				} else {
					vec4 g = -slope[t] * sign(a * r - b);
					sum += side == 0 ? g * r : side == 1 ? -g : g * a;
				}
			}
			VEC(o + j) = adds ? VEC(o + j) + sum : sum;
		}
	}
}

// sum_squares sums x^2 in parts, a warp each.
KERNEL sum_squares(const float *x, float *part, int n, int parts) {
	for (int p = THREAD / WARP, lane = THREAD % WARP; p < parts; p += THREADS / WARP) {
		float sum = 0;
		for (long i = (long)p * WARP + lane; i < n; i += (long)parts * WARP)
			sum += x[i] * x[i];
		sum = team_sum(sum);
		if (lane == 0)
			part[p] = sum;
	}
}

// loss_sum is the loss of the batch: its triplets', and a of the squares of out, b of those of rel.
KERNEL loss_sum(const float *loss, const float *out, const float *rel, float *to, int n, int parts, float a, float b) {
	int lane = THREAD % WARP;
	if (THREAD / WARP != 0)
		return;
	float sum = 0;
	for (int t = lane; t < n; t += WARP)
		sum += loss[t];
	for (int p = lane; p < parts; p += WARP)
		sum += a * out[p] + b * rel[p];
	sum = team_sum(sum);
	if (lane == 0)
		*to = sum;
}

// clip_scale is by what gradients with these squares are multiplied so that their norm is at most limit.
KERNEL clip_scale(const float *part, float *scale, int parts, float limit) {
	int lane = THREAD % WARP;
	if (THREAD / WARP != 0)
		return;
	float sum = 0;
	for (int p = lane; p < parts; p += WARP)
		sum += part[p];
	float s = limit / (root(team_sum(sum)) + 1e-6f);
	if (lane == 0)
		*scale = s < 1 ? s : 1;
}
