# How long tests may take and how often they repeat. Limits end what hangs, nothing else: under ThreadSanitizer, which
# takes ten times as long, they are wider. Damaged inputs look for what parsers get wrong, not for races: there are fewer
# of them there, and as many as ever under the other sanitizers.
set(NOTSO_TIME_FACTOR 1)     # of limits
set(NOTSO_REPEAT_DIVISOR 1)  # of repetitions
if(NOTSO_SANITIZE MATCHES "thread")
    set(NOTSO_TIME_FACTOR 5)
    set(NOTSO_REPEAT_DIVISOR 10)
endif()
