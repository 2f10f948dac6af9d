"""Reading dlib's binary format, whole and damaged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegan.perception import assets
from facegan.perception.dlib_weights import load_identity_network, read_layers


@pytest.fixture(scope="module")
def weights():
    return assets.fetch("dlib_face_recognition_resnet_model_v1.dat")


@pytest.fixture(scope="module")
def head(weights):
    """The file's first layers."""
    with weights.open("rb") as stream:
        return stream.read(100_000)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_load_identity_network_damaged_file_is_one_line(tmp_path_factory, head, data):
    """Cut off anywhere, and with a few bytes changed, most of them in the header."""
    damaged = bytearray(head[: data.draw(st.integers(0, len(head)), label="length")])
    for _ in range(data.draw(st.integers(0, 3), label="changes")) if damaged else ():
        bound = data.draw(st.sampled_from([min(400, len(damaged)), len(damaged)]))
        damaged[data.draw(st.integers(0, bound - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.dat"
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"damaged\.dat") as caught:
        load_identity_network(file)
    assert "\n" not in str(caught.value)


def test_read_layers_tensor_larger_than_file_is_refused(tmp_path, head):
    file = tmp_path / "network.dat"
    begin = head.index(b"con_4") + len(b"con_4")
    file.write_bytes(head[:begin] + b"\x01\x02" + b"\x08" + b"\xff" * 8 + head[begin + 5 :])
    with pytest.raises(ValueError, match="bytes wanted"):
        read_layers(file)


def test_load_identity_network_other_network_is_refused(tmp_path, weights):
    """A well-formed file that ends before the last layer."""
    whole = weights.read_bytes()
    file = tmp_path / "network.dat"
    file.write_bytes(whole[: whole.index(b"\x01\x04fc_2")])
    assert len(read_layers(file)) == 58
    with pytest.raises(ValueError, match="another network"):
        load_identity_network(file)
