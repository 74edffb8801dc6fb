// Equality, order and hashes of values as Python defines them, and the dict that is built on them.
#include <cmath>
#include <functional>
#include <random>

#include "services/template/jinja/object.hpp"
#include "services/template/jinja/value.hpp"

namespace notso::services::jinja {
namespace {

constexpr std::size_t kIndexFrom = 9;  // smaller dicts are searched one by one

bool equal_items(const std::vector<Value>& left, const std::vector<Value>& right) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (!left[i].same_as(right[i]) && !equals(left[i], right[i])) return false;
    }
    return true;
}

bool equal_dicts(const Dict& left, const Dict& right) {
    if (left.size() != right.size()) return false;
    for (const auto& [key, value] : left.entries()) {
        const Value* other = right.find(key);
        if (other == nullptr || !equals(value, *other)) return false;
    }
    return true;
}

bool equal_numbers(const Value& left, const Value& right) {
    if (left.is_integral() && right.is_integral()) return left.as_int() == right.as_int();
    return left.as_double() == right.as_double();
}

Result<bool> less_items(const std::vector<Value>& left, const std::vector<Value>& right) {
    const std::size_t shared = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < shared; ++i) {
        if (!equals(left[i], right[i])) return less_than(left[i], right[i]);
    }
    return left.size() < right.size();
}

// Comparing and hashing texts takes time by their size.
std::size_t work_on(const Value& value) {
    return value.is_string() ? 1 + value.text().size() / 64 : 1;
}

// Numbers are spread by a key of this process, so that no template can pick ones that collide.
std::size_t hash_integer(std::int64_t number) {
    static const std::uint64_t key = std::random_device{}() | (std::uint64_t{1} << 40);
    std::uint64_t mixed = static_cast<std::uint64_t>(number) ^ key;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
}

std::size_t hash_double(double number) {
    if (number == std::floor(number) && number >= -0x1p63 && number < 0x1p63) {
        return hash_integer(static_cast<std::int64_t>(number));
    }
    return std::hash<double>{}(number);
}

std::optional<std::size_t> hash_items(const std::vector<Value>& items) {
    std::size_t hash = 0x9e3779b97f4a7c15ULL;
    for (const Value& item : items) {
        const auto part = hash_of(item);
        if (!part) return std::nullopt;
        hash = (hash ^ *part) * 0x100000001b3ULL + 0x9e37;
    }
    return hash;
}

}  // namespace

bool equals(const Value& left, const Value& right) {
    if (!MemoryMeter::charge(work_on(left))) return false;
    if (left.is_number() && right.is_number()) return equal_numbers(left, right);
    if (left.type() != right.type()) return false;
    switch (left.type()) {
        case Value::Type::kString:
            return left.text() == right.text();
        case Value::Type::kSequence:
            return left.is_list() == right.is_list() &&
                   (left.sequence_ref() == right.sequence_ref() ||
                    equal_items(left.items(), right.items()));
        case Value::Type::kDict:
            return left.dict_ref() == right.dict_ref() ||
                   equal_dicts(left.as_dict(), right.as_dict());
        case Value::Type::kObject:
            return &left.as_object() == &right.as_object() ||
                   left.as_object().equal_to(right.as_object());
        default:
            return true;
    }
}

std::optional<std::size_t> hash_of(const Value& value) {
    if (!MemoryMeter::charge(work_on(value))) return 0;
    switch (value.type()) {
        case Value::Type::kUndefined:
            return 1;
        case Value::Type::kNone:
            return 2;
        case Value::Type::kBool:
        case Value::Type::kInt:
            return hash_integer(value.as_int());
        case Value::Type::kFloat:
            return hash_double(value.as_double());
        case Value::Type::kString:
            return std::hash<std::string_view>{}(value.text());
        case Value::Type::kSequence:
            return value.is_list() ? std::nullopt : hash_items(value.items());
        case Value::Type::kObject:
            if (!value.as_object().hashable()) return std::nullopt;
            return std::hash<const void*>{}(&value.as_object());
        case Value::Type::kDict:
            break;
    }
    return std::nullopt;
}

Result<bool> less_than(const Value& left, const Value& right) {
    if (!MemoryMeter::charge(work_on(left))) return false;
    if (left.is_integral() && right.is_integral()) return left.as_int() < right.as_int();
    if (left.is_number() && right.is_number()) return left.as_double() < right.as_double();
    if (left.is_string() && right.is_string()) return left.text() < right.text();
    if (left.is_sequence() && right.is_sequence() && left.is_list() == right.is_list()) {
        return less_items(left.items(), right.items());
    }
    for (const Value* side : {&left, &right}) {
        if (side->is_undefined())
            return fail(ErrorCode::kInvalidArgument, "{}", side->undefined_message());
    }
    return fail(ErrorCode::kInvalidArgument,
                "'{}' and '{}' can't be ordered",
                left.type_name(),
                right.type_name());
}

const Value* Dict::find(const Value& key) const {
    const auto hash = hash_of(key);
    if (!hash) return nullptr;
    const auto at = position(key, *hash);
    return at ? &entries_[*at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
    if (entries_.size() < kIndexFrom) {
        for (const auto& [name, value] : entries_) {
            if (name.is_string() && name.text() == key) return &value;
        }
        return nullptr;
    }
    const auto [first, last] = index_.equal_range(std::hash<std::string_view>{}(key));
    for (auto it = first; it != last; ++it) {
        const Entry& entry = entries_[it->second];
        if (entry.first.is_string() && entry.first.text() == key) return &entry.second;
    }
    return nullptr;
}

std::optional<std::size_t> Dict::position(const Value& key, std::size_t hash) const {
    if (entries_.size() < kIndexFrom) {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (equals(entries_[i].first, key)) return i;
        }
        return std::nullopt;
    }
    const auto [first, last] = index_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
        if (equals(entries_[it->second].first, key)) return it->second;
    }
    return std::nullopt;
}

bool Dict::set(const Value& key, Value value) {
    const auto hash = hash_of(key);
    if (!hash) return false;
    depth_ = std::max({depth_, key.depth() + 1, value.depth() + 1});
    if (const auto at = position(key, *hash)) {
        entries_[*at].second = std::move(value);
        return true;
    }
    entries_.emplace_back(key, std::move(value));
    meter_more(sizeof(Entry));
    if (entries_.size() == kIndexFrom) {
        for (std::size_t i = 0; i + 1 < entries_.size(); ++i)
            index_entry(i, *hash_of(entries_[i].first));
    }
    if (entries_.size() >= kIndexFrom) index_entry(entries_.size() - 1, *hash);
    return true;
}

void Dict::index_entry(std::size_t position, std::size_t hash) {
    index_.emplace(hash, static_cast<std::uint32_t>(position));
    meter_more(32);
}

}  // namespace notso::services::jinja
