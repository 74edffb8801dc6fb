// notso serve: the web app and the API.
#include "app/commands/command.hpp"
#include "app/composition.hpp"

namespace notso::app {
namespace {

Result<int> run(const Settings& settings) {
    NOTSO_TRY(const auto composition, Composition::create(settings));
    composition->run();
    return kExitOk;
}

}  // namespace

CommandBody declare_serve(OptionList&) {
    return [](const Settings& settings) { return run(settings); };
}

}  // namespace notso::app
