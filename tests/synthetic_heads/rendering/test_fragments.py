import numpy as np

from synthetic_heads.rendering.fragments import collect_fragments, gather_fragments


def test_gather_fragments_joins_near_samples_of_one_surface():
    """One pixel of four samples: two of a triangle, one of a neighbor with near texture, one of nothing."""
    uv = np.array([[0, 0], [0.02, 0], [0, 0.02], [0.02, 0.02], [1, 1]], np.float32)
    triangles = np.array([[0, 1, 2], [1, 3, 2], [4, 4, 4]], np.int32)
    weights = np.full((2, 2, 2), 0.3, np.float32)
    fragments, ids = np.empty((4, 4), np.float32), np.empty((4, 3), np.int32)

    def gather(seen, materials):
        samples, kinds = np.array(seen, np.int32).reshape(2, 2), np.array(materials, np.uint8)
        count = gather_fragments(samples, weights, uv, triangles, kinds, 1, fragments, ids)
        return ids[:count].tolist()

    assert gather([0, 0, 1, -1], [0, 0, 0]) == [[0, 0, 3]]
    assert gather([0, 0, 1, -1], [0, 1, 0]) == [[0, 0, 2], [0, 1, 1]]
    assert gather([0, 2, 0, 2], [0, 0, 0]) == [[0, 0, 2], [0, 2, 2]]
    np.testing.assert_allclose(fragments[0], [0.3, 0.3, 0.006, 0.006], atol=1e-6)


def test_collect_fragments_averages_color_and_takes_majority_of_labels():
    ids = np.array([[0, 0, 3], [0, 1, 1], [1, 0, 1], [1, 2, 1]], np.int32)
    colors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], np.float32)
    color, cover = np.zeros((2, 2, 3), np.float32), np.zeros((2, 2), np.float32)
    labels = np.empty((2, 2), np.uint8)
    collect_fragments(ids, colors, np.array([1, 2, 2, 0], np.uint8), 4, color, cover, labels)
    np.testing.assert_array_equal(color[0], [[0.75, 0.25, 0], [0, 0, 0.5]])
    np.testing.assert_array_equal(cover, [[1, 0.5], [0, 0]])
    np.testing.assert_array_equal(labels, [[1, 0], [0, 0]])
