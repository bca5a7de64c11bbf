"""Measures a kmodel on annotated photos: COCO figures stage by stage, SQNR, keypoint displacement, false positives."""
