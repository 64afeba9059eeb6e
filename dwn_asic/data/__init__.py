"""The labelled table: where it comes from, its checks, and the seeded stratified split."""
