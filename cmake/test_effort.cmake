# How long tests may take and how often they repeat. Limits end what hangs, nothing else: under ThreadSanitizer, which
# takes ten times as long, they are wider. Damaged inputs look for what parsers get wrong, not for races: there are fewer
# of them there, and as many as ever under the other sanitizers.
set(NOTSO_SLOW_CHECKS OFF)
if(NOTSO_SANITIZE MATCHES "thread")
    set(NOTSO_SLOW_CHECKS ON)
endif()

# notso_time_limit(SECONDS VARIABLE): five times as many with slow checks.
function(notso_time_limit seconds variable)
    if(NOTSO_SLOW_CHECKS)
        math(EXPR seconds "${seconds} * 5")
    endif()
    set(${variable} ${seconds} PARENT_SCOPE)
endfunction()

# notso_repetitions(COUNT VARIABLE): a tenth of them with slow checks.
function(notso_repetitions count variable)
    if(NOTSO_SLOW_CHECKS)
        math(EXPR count "${count} / 10")
    endif()
    set(${variable} ${count} PARENT_SCOPE)
endfunction()
