#include "app/doctor/check.hpp"

#include <algorithm>

namespace notso::app::doctor {

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::kOk:
            return "ok";
        case Verdict::kWarning:
            return "warning";
        case Verdict::kBroken:
            break;
    }
    return "broken";
}

Verdict worst(const std::vector<Check>& checks) {
    Verdict worst = Verdict::kOk;
    for (const Check& check : checks) worst = std::max(worst, check.verdict);
    return worst;
}

}  // namespace notso::app::doctor
