#include "web/routes/metrics_text.hpp"

#include <gtest/gtest.h>

namespace notso::web {
namespace {

TEST(MetricsTextTest, WritesWhatPrometheusReads) {
    MetricsText out;
    out.begin("a_total", "counter", "Things.");
    out.value(3);
    out.value(12345678901.0, MetricsText::label("kind", "x"));
    Histogram histogram({0.5, 1});
    histogram.add(0.25);
    histogram.add(0.25);
    histogram.add(7);
    out.begin("b_seconds", "histogram", "Times.");
    out.histogram(histogram);
    EXPECT_EQ(out.text(),
              "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\n"
              "a_total{kind=\"x\"} 12345678901\n"
              "# HELP b_seconds Times.\n# TYPE b_seconds histogram\n"
              "b_seconds_bucket{le=\"0.5\"} 2\nb_seconds_bucket{le=\"1\"} 2\n"
              "b_seconds_bucket{le=\"+Inf\"} 3\nb_seconds_sum 7.5\nb_seconds_count 3\n");
}

TEST(MetricsTextTest, EscapesLabels) {
    EXPECT_EQ(MetricsText::label("n", "a\\b\"c\nd"), R"(n="a\\b\"c\nd")");
}

}  // namespace
}  // namespace notso::web
