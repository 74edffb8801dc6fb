// Prints by how much templates that ask for too much overrun their time, worst first: usage:
// jinja_bench [MS]; with a number, those that overrun by more (-100: end later than 150 ms) only.
// Endless ones run under the limits that chat templates have; single operations on the longest
// texts also under shorter ones, so that the end of the time finds them at work.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "services/template/jinja/bombs.hpp"
#include "services/template/template.hpp"

namespace notso::services::jinja {
namespace {

using std::chrono::milliseconds;

struct Row {
    double over_ms = 0;
    milliseconds limit{0};
    std::string source;
    std::string outcome;
};

Row timed(std::string source, milliseconds limit = Limits{}.max_time) {
    Options options;
    options.limits.max_time = limit;
    const auto begin = std::chrono::steady_clock::now();
    std::string outcome = "ended by itself";
    if (auto parsed = Template::parse(source, options); !parsed) {
        outcome = parsed.error().detail;
    } else if (const auto text = (*parsed)->render({{}, "2025-07-08T12:00:00"}); !text) {
        outcome = text.error().detail;
    }
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begin - limit;
    return {taken.count(), limit, std::move(source), std::move(outcome)};
}

std::vector<Row> run_all() {
    std::vector<Row> rows;
    for (std::string& source : shared_bombs()) rows.push_back(timed(std::move(source)));
    for (const std::string_view body : kTextBombs) rows.push_back(timed(endless(body)));
    for (const std::string_view body : kListBombs) rows.push_back(timed(endless(body)));
    for (const std::string_view body : kWidthBombs)
        rows.push_back(timed(fmt::format("{{{{ {} }}}}", body)));
    for (const std::string_view body : kTextBombs) {
        const std::string source = fmt::format(
            "{{% set s = 'é-' * 1398000 %}}{{% set t = ' <x\n' * 1048000 %}}{{% set r = {} %}}",
            body);
        for (const int limit : {50, 100, 150, 250})
            rows.push_back(timed(source, milliseconds(limit)));
    }
    return rows;
}

}  // namespace

void print_bombs(double least_ms) {
    std::vector<Row> rows = run_all();
    std::ranges::sort(rows, std::greater<>(), &Row::over_ms);
    for (const Row& row : rows) {
        if (row.over_ms < least_ms) break;
        const std::size_t tail = row.source.size() < 60 ? 0 : row.source.size() - 60;
        fmt::print("{:+7.1f} ms over {} ms  {}  {:.90}\n",
                   row.over_ms,
                   row.limit.count(),
                   row.source.substr(tail),
                   row.outcome);
    }
    fmt::print(
        "{} templates, the worst {:+.1f} ms over its limit\n", rows.size(), rows.front().over_ms);
}

}  // namespace notso::services::jinja

int main(int argc, char** argv) {
    notso::services::jinja::print_bombs(argc > 1 ? std::atof(argv[1]) : -1e9);
    return 0;
}
