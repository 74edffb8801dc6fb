// Placeholder entry point until the commands stand (first day of the tree).
#include <cstdio>

int main() {
    std::puts("notso 0.1.0");
    return 0;
}
