"""The notebook's algorithm in plain PyTorch, for comparison with ours on the same card.

    python3 reference.py FILE [cpu|cuda]

FILE is the notebook's log: tab-separated, source in the third column, destination in the fifth,
client in the ninth. Ten epochs of 50 steps, as in model/baseline; prints seconds and the
time to score every row.
"""
import sys
import time

import torch

path, device = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cuda"
rows = [line.rstrip("\n").split("\t") for line in open(path)]
hosts, clients = {}, {}
triplets = torch.tensor(
    [[hosts.setdefault(r[2], len(hosts)), clients.setdefault(r[8], len(clients)), hosts.setdefault(r[4], len(hosts))] for r in rows]
).to(device)
nodes, relations, dim, sample = len(hosts), len(clients), 32, 1000
torch.manual_seed(1)


def weight(*shape):
    x = torch.empty(*shape, device=device)
    torch.nn.init.xavier_uniform_(x.view(-1, shape[-1]))
    return x.requires_grad_()


table = torch.randn(nodes, dim, device=device, requires_grad=True)
vectors = torch.randn(relations, dim, device=device, requires_grad=True)
diagonal, full = weight(relations, dim), weight(relations, dim, dim)
loops = [weight(dim, dim), weight(dim, dim)]
biases = [torch.zeros(dim, device=device, requires_grad=True) for _ in range(2)]
parameters = [table, vectors, diagonal, full, *loops, *biases]
adam = torch.optim.Adam(parameters, lr=0.01)


def layers(s, r, d, dropout):
    norm = 1 / torch.zeros(nodes, device=device).index_add_(0, d, torch.ones(len(d), device=device)).clamp(min=1)[d][:, None]
    x = table
    for i in range(2):
        m = x[s] * diagonal[r] if i == 0 else torch.bmm(x[s].unsqueeze(1), full[r]).squeeze(1)
        x = x @ loops[i] + biases[i] + torch.zeros(nodes, dim, device=device).index_add_(0, d, m * norm)
        if i == 0:
            x = torch.relu(x)
        x = torch.nn.functional.dropout(x, dropout)
    return x


def logit(x, s, r, d):
    return (x[s] * vectors[r] * x[d]).sum(1)


def train(steps):
    split = torch.randperm(len(triplets), device=device)[: len(triplets) * 8 // 10]
    events = triplets[split]
    label = torch.cat([torch.ones(sample, device=device), torch.zeros(sample, device=device)])
    for _ in range(steps):
        true = events[torch.randint(len(events), (sample,), device=device)]
        false, other = true.clone(), torch.randint(nodes, (sample,), device=device)
        head = torch.rand(sample, device=device) < 0.5
        false[:, 0] = torch.where(head, other, false[:, 0])
        false[:, 2] = torch.where(head, false[:, 2], other)
        s, r, d = torch.cat([true, false]).T
        x = layers(s, r, d, 0.2)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logit(x, s, r, d), label)
        loss = loss + 0.01 * (x.square().mean() + vectors.square().mean())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return events


def wait():
    if device == "cuda":
        torch.cuda.synchronize()


train(20)  # what is compiled and loaded on first use
wait()
start = time.perf_counter()
events = train(500)
wait()
print(f"{device}: {time.perf_counter() - start:.2f} s for 500 steps", flush=True)
with torch.no_grad():
    x = layers(*events.T, 0)
    for _ in range(3):
        torch.sigmoid(logit(x, *triplets.T))
    wait()
    start = time.perf_counter()
    for _ in range(20):
        scores = torch.sigmoid(logit(x, *triplets.T))
        wait()
    print(f"{device}: {(time.perf_counter() - start) * 50:.3f} ms to score {len(triplets)} rows; mean {scores.mean():.3f}, deviation {scores.std():.3f}")
