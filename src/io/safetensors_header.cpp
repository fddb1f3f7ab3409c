// safetensors_header.cpp: the strict parser: JSON events from nlohmann's SAX interface, checked one
// by one. Not a JSON parser of our own, and no tree of values is ever built.
#include "io/safetensors_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "io/file.hpp"

namespace adjoint::io {

static_assert(std::endian::native == std::endian::little, "files are copied, not byte-swapped");

namespace {

using nlohmann::json;

struct FormatType {
  std::string_view word;
  unsigned bits;
  std::optional<DType> dtype;
};

constexpr FormatType kTypes[] = {{"BOOL", 8, DType::bool_}, {"U8", 8, DType::u8},
                                 {"I8", 8, DType::i8},      {"F16", 16, DType::f16},
                                 {"BF16", 16, DType::bf16}, {"I32", 32, DType::i32},
                                 {"F32", 32, DType::f32},   {"F64", 64, DType::f64},
                                 {"I64", 64, DType::i64},   {"F4", 4, {}},
                                 {"F6_E2M3", 6, {}},        {"F6_E3M2", 6, {}},
                                 {"F8_E5M2", 8, {}},        {"F8_E4M3", 8, {}},
                                 {"F8_E8M0", 8, {}},        {"F8_E4M3FNUZ", 8, {}},
                                 {"F8_E5M2FNUZ", 8, {}},    {"I16", 16, {}},
                                 {"U16", 16, {}},           {"U32", 32, {}},
                                 {"C64", 64, {}},           {"U64", 64, {}}};

// A name as it may stand in a message: control characters as \xNN, cut after 80 bytes.
std::string shown(std::string_view s) {
  std::string out;
  for (const char c : s.substr(0, 80)) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7f)
      out += fmt::format("\\x{:02x}", u);
    else
      out += c;
  }
  return s.size() > 80 ? out + "..." : out;
}

struct Refusal {
  std::string_view name;
  Loc loc;
  [[noreturn]] void operator()(std::string_view message, std::string_view hint = {}) const {
    fail("read_safetensors", name, message, loc, hint);
  }
};

constexpr std::size_t kBlock = 16384;
constexpr std::uint64_t kLongestGap = 65536;  // white space between two tokens, which JSON allows
constexpr std::uint64_t kLongestNumber = 40;  // digits; 20 are the most that can be legal

// The header's bytes in blocks, as the iterator that the JSON lexer pulls from. It also caps what
// the lexer would collect without end: strings, numbers and white space.
class HeaderText {
 public:
  HeaderText(const ReadAt& read, std::uint64_t begin, std::uint64_t end, std::uint64_t longest,
             Refusal refuse)
      : read_(read), at_(begin), end_(end), longest_(longest), refuse_(refuse) {
    refill();
  }
  bool done() const { return next_ == filled_; }
  bool ends_in_brace() const { return last_ == '}'; }
  char peek() const { return static_cast<char>(block_[next_]); }

  void advance() {
    const char c = last_ = peek();
    if (in_string_)
      inside_string(c);
    else
      outside_string(c);
    if (++next_ == filled_) refill();
  }

 private:
  void inside_string(char c) {
    if (++length_ > longest_)
      refuse_(fmt::format("a string of the header is longer than {} bytes", longest_));
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_string_ = false, gap_ = digits_ = 0;
  }
  void outside_string(char c) {
    if (c == '"') in_string_ = true, length_ = 0;
    gap_ = c == ' ' || c == '\n' || c == '\t' || c == '\r' ? gap_ + 1 : 0;
    digits_ = c >= '0' && c <= '9' ? digits_ + 1 : 0;
    if (gap_ > kLongestGap) refuse_("the header has a gap of white space");
    if (digits_ > kLongestNumber) refuse_("the header has a number of more than 40 digits");
  }
  void refill() {
    next_ = 0;
    filled_ = static_cast<std::size_t>(std::min<std::uint64_t>(block_.size(), end_ - at_));
    if (filled_ > 0) read_(at_, std::span(block_).first(filled_));
    at_ += filled_;
  }

  const ReadAt& read_;
  std::uint64_t at_, end_, longest_, length_ = 0, gap_ = 0, digits_ = 0;
  Refusal refuse_;
  std::array<std::byte, kBlock> block_;
  std::size_t next_ = 0, filled_ = 0;
  bool in_string_ = false, escaped_ = false;
  char last_ = 0;
};

struct TextIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;
  HeaderText* text = nullptr;  // null at the end
  char operator*() const { return text->peek(); }
  TextIterator& operator++() {
    text->advance();
    return *this;
  }
  TextIterator operator++(int) {
    const TextIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const TextIterator& o) const { return over() == o.over(); }
  bool operator!=(const TextIterator& o) const { return !(*this == o); }

 private:
  bool over() const { return !text || text->done(); }
};

// The states of a header: {"__metadata__": {string: string}, NAME: {dtype, shape, data_offsets}}.
// Depth never exceeds three, because every other event is refused.
class Handler : public nlohmann::json_sax<json> {
 public:
  Handler(SafetensorsHeader& out, const LoadLimits& limits, Refusal refuse)
      : out_(out), limits_(limits), refuse_(refuse) {}

  bool start_object(std::size_t) override {
    switch (state_) {
      case State::begin:
        state_ = State::top;
        return true;
      case State::metadata_begin:
        state_ = State::metadata;
        return true;
      case State::entry_begin:
        state_ = State::entry;
        return true;
      default:
        unexpected("an object");
    }
  }
  bool end_object() override {
    if (state_ == State::entry) finish_entry();
    state_ = state_ == State::top ? State::end : State::top;
    return true;
  }
  bool key(string_t& k) override {
    if (state_ == State::top)
      top_key(k);
    else if (state_ == State::metadata)
      metadata_key(k);
    else
      entry_key(k);
    return true;
  }
  bool string(string_t& s) override {
    if (state_ == State::metadata_value) {
      out_.metadata.emplace(std::move(metadata_key_), s);
      state_ = State::metadata;
    } else if (state_ == State::dtype) {
      set_dtype(s);
      state_ = State::entry;
    } else {
      unexpected("a string");
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (state_ == State::shape_begin)
      state_ = State::shape;
    else if (state_ == State::offsets_begin)
      state_ = State::offsets;
    else
      unexpected("an array");
    return true;
  }
  bool end_array() override {
    if (state_ == State::offsets && offsets_ != 2) refuse_entry("needs two data_offsets");
    state_ = State::entry;
    return true;
  }
  bool number_unsigned(number_unsigned_t n) override {
    if (state_ == State::shape)
      add_dimension(n);
    else if (state_ == State::offsets)
      add_offset(n);
    else
      unexpected("a number");
    return true;
  }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    unexpected("a number that is not a whole number of 64 bits");
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception&) override {
    refuse_(fmt::format("the header is not valid JSON in UTF-8 (at byte {} of it)", at));
  }

 private:
  enum class State {
    begin,
    top,
    metadata_begin,
    metadata,
    metadata_value,
    entry_begin,
    entry,
    dtype,
    shape_begin,
    shape,
    offsets_begin,
    offsets,
    end
  };

  [[noreturn]] void unexpected(std::string_view what) {
    if (state_ == State::begin || state_ == State::top || state_ == State::end)
      refuse_(fmt::format("the header holds {} where none belongs", what));
    if (state_ <= State::metadata_value)
      refuse_(fmt::format("__metadata__ holds {}: it maps strings to strings", what));
    refuse_entry(fmt::format("holds {} where none belongs", what));
  }
  [[noreturn]] void refuse_entry(std::string_view message) {
    refuse_(fmt::format("tensor \"{}\": {}", shown(entry_.name), message));
  }

  void top_key(const std::string& k) {
    if (k == "__metadata__") {
      if (seen_metadata_) refuse_("__metadata__ stands there twice");
      seen_metadata_ = true;
      state_ = State::metadata_begin;
      return;
    }
    if (k.size() > limits_.name_bytes)
      refuse_(fmt::format("a tensor's name has {} bytes, more than the limit of {}", k.size(),
                          limits_.name_bytes));
    if (out_.entries.size() >= limits_.tensors)
      refuse_(fmt::format("has more than {} tensors", limits_.tensors));
    entry_ = {};
    entry_.name = k;
    seen_dtype_ = seen_shape_ = seen_offsets_ = false;
    state_ = State::entry_begin;
  }
  void metadata_key(std::string& k) {
    if (out_.metadata.size() >= limits_.metadata_entries)
      refuse_(fmt::format("__metadata__ has more than {} entries", limits_.metadata_entries));
    if (out_.metadata.count(k))
      refuse_(fmt::format("__metadata__ has the key \"{}\" twice", shown(k)));
    metadata_key_ = std::move(k);
    state_ = State::metadata_value;
  }
  void entry_key(const std::string& k) {
    const auto once = [&](bool& seen, State next) {
      if (std::exchange(seen, true)) refuse_entry(fmt::format("has {} twice", k));
      state_ = next;
    };
    if (k == "dtype")
      once(seen_dtype_, State::dtype);
    else if (k == "shape")
      once(seen_shape_, State::shape_begin);
    else if (k == "data_offsets")
      once(seen_offsets_, State::offsets_begin), offsets_ = 0;
    else
      refuse_entry(fmt::format("has the unknown key \"{}\"", shown(k)));
  }

  void set_dtype(const std::string& word) {
    for (const auto& t : kTypes)
      if (t.word == word) {
        entry_.format_dtype = t.word;
        entry_.dtype = t.dtype;
        bits_ = t.bits;
        return;
      }
    refuse_entry(fmt::format("has the unknown dtype \"{}\"", shown(word)));
  }
  void add_dimension(std::uint64_t n) {
    if (entry_.shape.size() >= limits_.rank)
      refuse_entry(fmt::format("has more than {} dimensions", limits_.rank));
    if (n > static_cast<std::uint64_t>(INT64_MAX))
      refuse_entry(fmt::format("has a dimension of {}, above 2^63 - 1", n));
    entry_.shape.push_back(static_cast<std::int64_t>(n));
  }
  void add_offset(std::uint64_t n) {
    if (offsets_ >= 2) refuse_entry("has more than two data_offsets");
    (offsets_ == 0 ? entry_.begin : entry_.end) = n;
    ++offsets_;
  }

  void finish_entry() {
    if (!seen_dtype_) refuse_entry("has no dtype");
    if (!seen_shape_) refuse_entry("has no shape");
    if (!seen_offsets_) refuse_entry("has no data_offsets");
    if (entry_.begin > entry_.end)
      refuse_entry(
          fmt::format("its data_offsets run backwards: [{}, {}]", entry_.begin, entry_.end));
    std::uint64_t bits = 1;  // in order: an overflow counts even before a dimension of 0
    for (const auto n : entry_.shape)
      if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(n), &bits))
        refuse_entry("its shape overflows 64 bits");
    if (__builtin_mul_overflow(bits, std::uint64_t{bits_}, &bits))
      refuse_entry("its shape overflows 64 bits");
    if (bits % 8 != 0) refuse_entry("does not end on a whole byte");
    if (bits / 8 != entry_.end - entry_.begin)
      refuse_entry(fmt::format("its shape needs {} bytes, its data_offsets give {}", bits / 8,
                               entry_.end - entry_.begin));
    entry_.shape.shrink_to_fit();
    out_.entries.push_back(std::move(entry_));
  }

  SafetensorsHeader& out_;
  const LoadLimits& limits_;
  Refusal refuse_;
  State state_ = State::begin;
  TensorEntry entry_;
  std::string metadata_key_;
  unsigned bits_ = 0, offsets_ = 0;
  bool seen_metadata_ = false, seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false;
};

// Sorts, and checks what concerns all entries at once: names are unique, the buffer is covered.
void check_together(SafetensorsHeader& h, std::uint64_t buffer, Refusal refuse) {
  std::sort(h.entries.begin(), h.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  h.by_name.resize(h.entries.size());
  std::iota(h.by_name.begin(), h.by_name.end(), 0u);
  std::sort(h.by_name.begin(), h.by_name.end(),
            [&](auto a, auto b) { return h.entries[a].name < h.entries[b].name; });
  for (std::size_t i = 1; i < h.by_name.size(); ++i)
    if (h.entries[h.by_name[i - 1]].name == h.entries[h.by_name[i]].name)
      refuse(fmt::format("tensor \"{}\" stands there twice", shown(h.entries[h.by_name[i]].name)));
  std::uint64_t covered = 0;
  for (const auto& e : h.entries) {
    if (e.begin != covered)
      refuse(fmt::format("tensor \"{}\" begins at byte {} of the buffer, the one before ends at {}",
                         shown(e.name), e.begin, covered));
    covered = e.end;
  }
  if (covered != buffer)
    refuse(fmt::format("the tensors cover {} bytes, but the file holds {} behind its header",
                       covered, buffer));
}

std::uint64_t header_length(std::uint64_t size, const ReadAt& read, const LoadLimits& limits,
                            Refusal refuse) {
  if (size > limits.file_bytes)
    refuse(fmt::format("has {} bytes, more than the limit of {}", size, limits.file_bytes));
  if (size < 8) refuse(fmt::format("has {} bytes, too few for a safetensors file", size));
  std::array<std::byte, 8> first;
  read(0, first);
  const auto length = std::bit_cast<std::uint64_t>(first);
  if (length > limits.header_bytes)
    refuse(fmt::format("says that its header has {} bytes, more than the limit of {}", length,
                       limits.header_bytes),
           "is it a safetensors file?");
  if (length > size - 8)
    refuse(fmt::format("says that its header has {} bytes, but {} follow", length, size - 8));
  return length;
}

// The end of the JSON: the header without the spaces that pad it.
std::uint64_t json_end(const ReadAt& read, std::uint64_t begin, std::uint64_t end) {
  std::array<std::byte, kBlock> block;
  while (end > begin) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, end - begin));
    read(end - n, std::span(block).first(n));
    for (std::size_t i = n; i > 0; --i, --end)
      if (block[i - 1] != std::byte{' '}) return end;
  }
  return end;
}

}  // namespace

std::string_view safetensors_word(DType dtype) {
  for (const auto& t : kTypes)
    if (t.dtype == dtype) return t.word;
  return {};  // every DType has a word: the tests go through all of them
}

SafetensorsHeader parse_safetensors_header(std::string_view name, std::uint64_t size,
                                           const ReadAt& read, const LoadLimits& limits, Loc loc) {
  const Refusal refuse{name, loc};
  const std::uint64_t length = header_length(size, read, limits, refuse);
  SafetensorsHeader header;
  header.buffer_begin = 8 + length;
  HeaderText text(read, 8, json_end(read, 8, 8 + length), limits.string_bytes, refuse);
  if (text.done() || text.peek() != '{') refuse("its header does not begin with {");
  Handler handler(header, limits, refuse);
  if (!json::sax_parse(TextIterator{&text}, TextIterator{}, &handler))
    refuse("the header is not valid JSON");  // not reached: the handler throws
  if (!text.ends_in_brace()) refuse("its header ends in something else than } and spaces");
  check_together(header, size - header.buffer_begin, refuse);
  return header;
}

}  // namespace adjoint::io
