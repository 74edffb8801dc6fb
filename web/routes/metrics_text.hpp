// MetricsText: writes metrics in the text format of Prometheus (version 0.0.4). Knows the format
// only.
#pragma once

#include <string>
#include <string_view>

#include "base/histogram.hpp"

namespace notso::web {

class MetricsText {
  public:
    /// Begins a metric: its name, "counter", "gauge" or "histogram", and what it counts (one line).
    void begin(std::string_view name, std::string_view type, std::string_view help);
    /// A value of the metric that was begun last. @param labels  Made by label(), comma separated;
    /// may be empty.
    void value(double value, std::string_view labels = {});
    void histogram(const Histogram& histogram);

    const std::string& text() const noexcept { return text_; }

    /// `name="value"`, the value escaped.
    static std::string label(std::string_view name, std::string_view value);

  private:
    void line(std::string_view suffix, std::string_view labels, double value);

    std::string text_;
    std::string name_;
};

}  // namespace notso::web
