# fuzz/: targets for libFuzzer, which `make check` replays over the committed corpora.
