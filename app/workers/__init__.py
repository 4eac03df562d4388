"""Work that needs torch, datasets or UMAP, in processes of its own: the server imports none of them."""
