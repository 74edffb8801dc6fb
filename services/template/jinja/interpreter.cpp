// Construction, budgets and conversions of a rendering; see interpreter.hpp.
#include "services/template/jinja/interpreter.hpp"

#include "services/template/jinja/registry.hpp"

namespace notso::services::jinja {
namespace {

constexpr int kMaxValueDepth = 200;
constexpr std::int64_t kStepsPerClockCheck = 512;
// Recursion is bounded by what it takes of the stack, whatever the build; threads have 8 MiB.
constexpr std::ptrdiff_t kMaxStackBytes = 4 * 1024 * 1024;

}  // namespace

Interpreter::Interpreter(const TemplateImpl& root, const RenderInput& input)
    : root_(root),
      input_(input),
      limits_(root.options().limits),
      // A fifth is kept for the operation that is under way when the time is up.
      deadline_(std::chrono::steady_clock::now() + root.options().limits.max_time * 4 / 5),
      auto_escape_(root.options().auto_escape),
      current_(&root),
      variables_(std::make_shared<Dict>()) {
    for (const auto& [name, value] : input.variables) variables_->set(name, value_from_json(value));
}

Interpreter::~Interpreter() { frames_.clear(); }

Result<std::string> Interpreter::run() {
    stack_base_ = static_cast<const char*>(__builtin_frame_address(0));
    meter_.add(-meter_.used_bytes());  // the input is not the template's doing
    meter_.allow_work(limits_.max_steps);
    Context* context = new_context(root_, nullptr);
    context->variables = variables_.get();
    TextBuilder out = builder();
    out_ = &out;
    NOTSO_CHECK(run_template(root_, *context));
    return std::move(out).finish();
}

Result<void> Interpreter::spend(std::int64_t steps) {
    steps_ += 1 + steps;
    if (steps_ > limits_.max_steps || meter_.overworked()) {
        return fail(
            ErrorCode::kTooLarge, "the template takes more than {} steps", limits_.max_steps);
    }
    if (meter_.used_bytes() > limits_.max_memory_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "the template needs more than {} bytes of memory",
                    limits_.max_memory_bytes);
    }
    if (steps_ < next_clock_check_) return {};
    next_clock_check_ = steps_ + kStepsPerClockCheck;
    const auto expected = std::exchange(expected_, std::chrono::nanoseconds(0));
    if (std::chrono::steady_clock::now() + expected > deadline_) {
        return fail(
            ErrorCode::kTimeout, "the template runs longer than {} ms", limits_.max_time.count());
    }
    return {};
}

Result<void> Interpreter::spend_on(const Value& value, std::int64_t walks) {
    constexpr std::size_t kLongBytes = 4096;
    constexpr std::int64_t kNanosecondsPerByte = 20;  // changing case
    const std::size_t bytes = value.is_string()     ? value.text().size()
                              : value.is_sequence() ? value.items().size() * sizeof(Value)
                                                    : 0;
    if (bytes < kLongBytes) return spend();
    const std::int64_t size = static_cast<std::int64_t>(bytes) * walks;
    expected_ = std::chrono::nanoseconds(size * kNanosecondsPerByte);
    next_clock_check_ = 0;
    return spend(1 + size / 64);
}

Result<Value> Interpreter::made(Value value) {
    if (value.is_string()) NOTSO_CHECK(spend(static_cast<std::int64_t>(value.text().size() / 64)));
    return checked(std::move(value));
}

Result<void> Interpreter::check_stack() const {
    const char* here = static_cast<const char*>(__builtin_frame_address(0));
    if (stack_base_ - here < kMaxStackBytes) return {};
    return fail(ErrorCode::kTooLarge, "the template nests too deep");
}

Result<Value> Interpreter::checked(Value value) const {
    if (value.is_string() && value.text().size() > limits_.max_output_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "a text grows over the limit of {} bytes",
                    limits_.max_output_bytes);
    }
    if (value.depth() > kMaxValueDepth) {
        return fail(
            ErrorCode::kTooLarge, "lists and dicts nest deeper than {} levels", kMaxValueDepth);
    }
    return value;
}

std::unexpected<Error> Interpreter::located(Error error, std::uint32_t at) {
    if (!error_located_) {
        error_located_ = true;
        error.detail = fmt::format("{}: {}", current_->source().describe(at), error.detail);
    }
    return std::unexpected(std::move(error));
}

Result<std::string> Interpreter::text_of(const Value& value) const {
    if (value.is_string()) return std::string(value.text());
    TextBuilder out = builder();
    write_str(out, value);
    return std::move(out).finish();
}

Result<Value> Interpreter::string_of(const Value& value) const {
    if (value.is_string()) return value;
    NOTSO_TRY(auto text, text_of(value));
    return Value::string(std::move(text));
}

Result<std::string> Interpreter::escaped(const Value& value) const {
    if (value.is_markup()) return std::string(value.text());
    NOTSO_TRY(const auto text, text_of(value));
    TextBuilder out = builder();
    write_escaped(out, text);
    return std::move(out).finish();
}

Result<Items> Interpreter::iterate(const Value& value) {
    Items items;
    switch (value.type()) {
        case Value::Type::kUndefined:
            items = std::make_shared<const Sequence>(std::vector<Value>{}, true);
            break;
        case Value::Type::kSequence:
            items = value.sequence_ref();
            break;
        case Value::Type::kObject: {
            NOTSO_TRY(items, value.as_object().iterate());
            break;
        }
        case Value::Type::kDict:
            items = DictView(value.dict_ref(), DictView::Kind::kKeys).items();
            break;
        case Value::Type::kString: {
            NOTSO_TRY(items, characters(*this, value));
            break;
        }
        default:
            break;
    }
    if (items == nullptr) {
        return fail(
            ErrorCode::kInvalidArgument, "'{}' object can't be looped over", value.type_name());
    }
    NOTSO_CHECK(spend(static_cast<std::int64_t>(items->items.size() / 8)));
    return items;
}

Result<Value> Interpreter::call(const Value& callee, CallArgs args) {
    if (callee.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", callee.undefined_message());
    if (!callee.is_object()) {
        return fail(ErrorCode::kInvalidArgument, "'{}' object can't be called", callee.type_name());
    }
    NOTSO_CHECK(check_stack());
    NOTSO_TRY(auto result, callee.as_object().call(*this, std::move(args)));
    return made(std::move(result));
}

Result<Value> Interpreter::apply_filter(std::string_view name,
                                        const Value& value,
                                        const CallArgs& args) {
    const FilterFunction filter = find_filter(name);
    if (filter == nullptr)
        return fail(ErrorCode::kInvalidArgument, "there is no filter named '{}'", name);
    NOTSO_CHECK(spend_on(value));
    NOTSO_TRY(auto result, filter(*this, value, args));
    return made(std::move(result));
}

Result<bool> Interpreter::apply_test(std::string_view name,
                                     const Value& value,
                                     const CallArgs& args) {
    const TestFunction test = find_test(name);
    if (test == nullptr)
        return fail(ErrorCode::kInvalidArgument, "there is no test named '{}'", name);
    NOTSO_CHECK(spend_on(value));
    return test(*this, value, args);
}

}  // namespace notso::services::jinja
