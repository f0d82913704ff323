# fuzz/: targets for libFuzzer (fuzz/run), which `make check` replays over the committed corpora.
unit_tests += fuzz/text_replay fuzz/service_file_replay fuzz/protocol_replay fuzz/lists_replay fuzz/update_replay \
	fuzz/record_replay fuzz/answer_replay
fuzz_driver = fuzz/replay.c fuzz/target.c fuzz/target.h

fuzz_text_replay_SOURCES = fuzz/text_fuzz.c $(fuzz_driver)
fuzz_text_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"text"'
fuzz_text_replay_LDADD = category/libcategory.la

fuzz_service_file_replay_SOURCES = fuzz/service_file_fuzz.c $(fuzz_driver)
fuzz_service_file_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"service_file"'
fuzz_service_file_replay_LDADD = category/libcategory.la

fuzz_protocol_replay_SOURCES = fuzz/protocol_fuzz.c $(fuzz_driver)
fuzz_protocol_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"protocol"'
fuzz_protocol_replay_LDADD = helper/libprotocol.la

fuzz_lists_replay_SOURCES = fuzz/lists_fuzz.c $(fuzz_driver)
fuzz_lists_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"lists"'
fuzz_lists_replay_LDADD = feeds/libfeeds.la

fuzz_record_replay_SOURCES = fuzz/record_fuzz.c $(fuzz_driver)
fuzz_record_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"record"'
fuzz_record_replay_LDADD = records/librecords.la category/libcategory.la

fuzz_answer_replay_SOURCES = fuzz/answer_fuzz.c $(fuzz_driver)
fuzz_answer_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"answer"'
fuzz_answer_replay_LDADD = records/libclickhouse.la records/librecords.la category/libcategory.la

fuzz_update_replay_SOURCES = fuzz/update_fuzz.c $(fuzz_driver)
fuzz_update_replay_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"update"'
fuzz_update_replay_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
fuzz_update_replay_LDADD = feeds/libupdate.la

EXTRA_DIST += fuzz/run fuzz/text.dict fuzz/service_file.dict fuzz/protocol.dict fuzz/lists.dict \
	fuzz/update.dict fuzz/record.dict fuzz/answer.dict fuzz/corpus
