// The program. Everything is in cli.cpp and the commands; this is where stray exceptions of third
// parties stop.
#include <csignal>
#include <cstdio>
#include <exception>

#include "app/cli.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE,
                SIG_IGN);  // A closed pipe is an error of write(2), not the end of the process.
    std::signal(SIGXFSZ, SIG_IGN);  // So is a file that reached the limit of its size.
    try {
        return notso::app::run_cli(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "notso: internal error: %s\n", error.what());
        return 1;
    }
}
