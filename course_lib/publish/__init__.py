"""The way from lessons/ to notebooks: read and judge a lesson, derive its notebooks, run them, hand out copies."""
