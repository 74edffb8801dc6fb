#include "app/doctor/passage.hpp"

#include <array>

namespace notso::app::doctor {
namespace {

/// A model is known by its shape; `nats` is the numpy oracle's figure for its common quantised
/// file.
struct KnownModel {
    std::string_view architecture;
    std::int32_t n_layers;
    std::int32_t n_embd;
    std::int32_t n_vocab;
    double nats;
};

constexpr std::array kKnown = {
    KnownModel{"llama", 30, 576, 49152, 3.381},  // SmolLM2 135M Instruct
};
// Between quantisations of one model the figure moves by a few percent.
constexpr double kTolerance = 0.05;
// Random weights need ln(vocabulary), 10 and more; a wrong rotation or a damaged tensor 5 to 9.
constexpr double kStillEnglish = 4.5;

}  // namespace

std::string_view passage() {
    return "When the bridge over the river was finally opened, the two villages held a feast that "
           "lasted three days. Before that, anyone who wanted to visit the other side had to wait "
           "for the ferry, and the ferryman was a man who liked to sleep late. Children were not "
           "allowed to cross alone. Old people remembered winters when the ice was so thick that "
           "carts could drive over it, but those winters had not come back for many years. Now the "
           "baker on the north bank sold his bread on the south bank before breakfast, the doctor "
           "could reach both villages in the same hour, and the school had twice as many pupils as "
           "before. Only the ferryman was unhappy. He sat on his boat, looked up at the bridge and "
           "said that nobody would ever see the water from so close again.";
}

ExpectedNats expected_nats(const ml::ModelConfig& config) {
    for (const KnownModel& model : kKnown) {
        if (config.architecture == model.architecture && config.n_layers == model.n_layers &&
            config.n_embd == model.n_embd && config.n_vocab == model.n_vocab)
            return {model.nats * (1 - kTolerance), model.nats * (1 + kTolerance), true};
    }
    return {0.5, kStillEnglish, false};
}

}  // namespace notso::app::doctor
