"""Networks with another latent size start from what the trained one knows."""

from __future__ import annotations

import pytest
import torch

from config import with_latent
from model import Epic
from resize_latent import latent_weight, resize, settle_norm

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(2)
    model = Epic(with_latent(64))
    x = torch.randn(4, 125, 5, 70)
    model.train()
    for _ in range(3):
        model(x)
    return model.eval(), x


@torch.no_grad()
def test_more_channels_start_as_the_trained_network(trained):
    old, x = trained
    new = resize(old, with_latent(128))
    settle_norm(new, x, 64)
    assert torch.equal(new.eval()(x), old(x))
    fresh = new.encode(x)[..., 64:]
    assert 0.2 < fresh.std() < 0.6  # the norm's gain is 0.4, and these are the records it was settled on


@torch.no_grad()
def test_fewer_channels_are_those_that_weigh_most(trained):
    old, x = trained
    new = resize(old, with_latent(16)).eval()
    kept = latent_weight(old).topk(16).indices.sort().values
    assert torch.equal(new.encode(x), old.encode(x)[..., kept])
    assert torch.equal(new.central.tokens.weight, old.central.tokens.weight[:, kept])


def test_other_differences_are_refused(trained):
    config = with_latent(16)
    config["central"]["decoder"][0]["out"] = 32
    config["central"]["decoder"][1]["in"] = 32
    with pytest.raises(ValueError, match="only latent channels may differ"):
        resize(trained[0], config)
