// Calls one function and answers with what it returned. Sent into the sandbox as text, ahead of the program.
//
// The protocol is that of call_driver.py: on standard input a nonce, the function's name and the list of
// arguments; the answer between two nonces, on a private copy of descriptor 1. Arguments are JSON whose
// meaning comes from the parameters' types (a map is a list of pairs, a set a list); the answer is in the
// tagged form of values.py. No expected value is here: who forges an answer has to know the right one.
#include <bits/stdc++.h>
#include <unistd.h>

namespace call_driver {

inline int answer_fd = -1;

// Before the program's own objects are made, which may print.
__attribute__((constructor(101))) inline void redirect_output() {
  answer_fd = dup(1);
  dup2(2, 1);
}

template <class T, class = void> struct has_items : std::false_type {};
template <class T>
struct has_items<T, std::void_t<typename T::value_type, decltype(std::declval<T &>().insert(
                                                            std::declval<T &>().end(),
                                                            std::declval<typename T::value_type>()))>>
    : std::true_type {};
template <class T, class = void> struct has_keys : std::false_type {};
template <class T> struct has_keys<T, std::void_t<typename T::key_type>> : std::true_type {};
template <class T, class = void> struct is_map : std::false_type {};
template <class T> struct is_map<T, std::void_t<typename T::mapped_type>> : std::true_type {};
template <class T> inline constexpr bool is_unknown = false;

struct Reader {
  const std::string &text;
  size_t at = 0;

  char peek() {
    while (at < text.size() && strchr(" \t\r\n", text[at])) at++;
    return at < text.size() ? text[at] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    at++;
    return true;
  }
  void need(char wanted) {
    if (!take(wanted)) throw std::invalid_argument("an argument does not fit the function's parameter");
  }
  bool take_word(const char *word) {
    peek();
    if (text.compare(at, strlen(word), word)) return false;
    at += strlen(word);
    return true;
  }
  unsigned code_unit() {
    unsigned code = std::stoul(text.substr(at, 4), nullptr, 16);
    at += 4;
    return code;
  }
  std::string string() {
    std::string value;
    need('"');
    while (at < text.size() && text[at] != '"') {
      char c = text[at++];
      if (c != '\\') {
        value += c;
        continue;
      }
      c = text[at++];
      if (c == 'u') {
        unsigned code = code_unit();
        if (code >= 0xD800 && code < 0xDC00 && text.compare(at, 2, "\\u") == 0) {
          at += 2;
          code = 0x10000 + ((code - 0xD800) << 10) + (code_unit() - 0xDC00);
        }
        if (code < 0x80) {
          value += char(code);
        } else if (code < 0x800) {
          value += {char(0xC0 | code >> 6), char(0x80 | (code & 63))};
        } else if (code < 0x10000) {
          value += {char(0xE0 | code >> 12), char(0x80 | (code >> 6 & 63)), char(0x80 | (code & 63))};
        } else {
          value += {char(0xF0 | code >> 18), char(0x80 | (code >> 12 & 63)), char(0x80 | (code >> 6 & 63)),
                    char(0x80 | (code & 63))};
        }
      } else {
        const char *names = "bfnrt", *codes = "\b\f\n\r\t", *found = strchr(names, c);
        value += found ? codes[found - names] : c;
      }
    }
    need('"');
    return value;
  }
  template <class T> T number() {
    if constexpr (std::is_same_v<T, bool>) {
      if (take_word("true")) return true;
      if (take_word("false")) return false;
    }
    if (take_word("Infinity")) return T(INFINITY);
    if (take_word("-Infinity")) return T(-INFINITY);
    if (take_word("NaN")) return T(NAN);
    if (peek() != '-' && !isdigit(peek())) need('0');
    size_t end = text.find_first_not_of("+-0123456789.eE", at);
    std::string digits = text.substr(at, end - at);
    at = std::min(end, text.size());
    if (std::is_floating_point_v<T> || digits.find_first_of(".eE") != std::string::npos) {
      return T(std::strtold(digits.c_str(), nullptr));
    }
    return digits[0] == '-' ? T(std::strtoll(digits.c_str(), nullptr, 10))
                            : T(std::strtoull(digits.c_str(), nullptr, 10));
  }

  void read(std::string &value) { value = string(); }
  template <class A, class B> void read(std::pair<A, B> &value) {
    need('[');
    read(value.first);
    need(',');
    read(value.second);
    need(']');
  }
  template <class T> void read(std::optional<T> &value) {
    if (take_word("null")) return;
    value.emplace();
    read(*value);
  }
  template <class... T> void read(std::tuple<T...> &value) {
    need('[');
    size_t index = 0;
    std::apply([&](auto &...items) { ((index++ ? need(',') : void(), read(items)), ...); }, value);
    need(']');
  }
  template <class T, size_t N> void read(std::array<T, N> &value) {
    need('[');
    for (size_t index = 0; index < N; index++) {
      if (index) need(',');
      read(value[index]);
    }
    need(']');
  }
  template <class T> void read(T &value) {
    if constexpr (std::is_same_v<T, char>) {
      std::string letter = string();
      if (letter.size() != 1) throw std::invalid_argument("a char parameter gets a longer text");
      value = letter[0];
    } else if constexpr (std::is_arithmetic_v<T>) {
      value = number<T>();
    } else if constexpr (is_map<T>::value) {
      items([&] {
        std::pair<typename T::key_type, typename T::mapped_type> item;
        read(item);
        value.insert(std::move(item));
      });
    } else if constexpr (has_items<T>::value) {
      items([&] {
        typename T::value_type item{};
        read(item);
        value.insert(value.end(), std::move(item));
      });
    } else {
      static_assert(is_unknown<T>, "a parameter has a type that no test value can be given to");
    }
  }
  template <class ReadItem> void items(ReadItem read_item) {
    need('[');
    if (take(']')) return;
    do read_item();
    while (take(','));
    need(']');
  }
};

struct Writer {
  std::string text;

  void write(bool value) { text += value ? "true" : "false"; }
  void write(char value) { write(std::string(1, value)); }
  void write(const char *value) { write(std::string(value)); }
  void write(const std::string &value) {
    text += '"';
    for (unsigned char c : value) {
      if (c == '"' || c == '\\') {
        text += {'\\', char(c)};
      } else if (c < 0x20) {
        char code[8];
        snprintf(code, sizeof code, "\\u%04x", c);
        text += code;
      } else {
        text += char(c);
      }
    }
    text += '"';
  }
  template <class A, class B> void write(const std::pair<A, B> &value) {
    text += '[';
    write(value.first);
    text += ',';
    write(value.second);
    text += ']';
  }
  template <class T> void write(const std::optional<T> &value) {
    if (value) write(*value);
    else text += "null";
  }
  template <class... T> void write(const std::tuple<T...> &value) {
    text += '[';
    size_t index = 0;
    std::apply([&](auto &...items) { ((text += index++ ? "," : "", write(items)), ...); }, value);
    text += ']';
  }
  template <class T, size_t N> void write(const std::array<T, N> &value) { list(value); }
  template <class T> void write(const T &value) {
    if constexpr (std::is_integral_v<T>) {
      text += std::to_string(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      char digits[64];
      snprintf(digits, sizeof digits, "%.17g", double(value));
      bool plain = !std::isfinite(value) || strpbrk(digits, ".e");
      text += std::isnan(value)   ? "NaN"
              : std::isinf(value) ? (value > 0 ? "Infinity" : "-Infinity")
                                  : digits + std::string(plain ? "" : ".0");
    } else if constexpr (is_map<T>::value) {
      text += "{\"dict\":";
      list(value);
      text += '}';
    } else if constexpr (has_keys<T>::value) {
      text += "{\"set\":";
      list(value);
      text += '}';
    } else if constexpr (has_items<T>::value) {
      list(value);
    } else {
      static_assert(is_unknown<T>, "the function returns a type that no test can compare");
    }
  }
  template <class T> void list(const T &value) {
    text += '[';
    bool first = true;
    for (const auto &item : value) {
      if (!first) text += ',';
      first = false;
      write(typename T::value_type(item));  // an item of vector<bool> is no bool
    }
    text += ']';
  }
};

template <class F> struct Signature;
template <class R, class... A> struct Signature<R (*)(A...)> {
  using Arguments = std::tuple<std::decay_t<A>...>;
};
template <class R, class C, class... A> struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <class R, class C, class... A> struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};

// `F`: the function's type, for the types of its arguments. Does not return: nothing the program left behind
// (threads, atexit, destructors) can add to the answer.
template <class F, class Call> [[noreturn]] void run(Call call) {
  std::string input;
  char buffer[65536];
  for (ssize_t count; (count = read(0, buffer, sizeof buffer)) > 0;) input.append(buffer, count);
  const size_t name = input.find('\n') + 1, arguments_at = input.find('\n', name) + 1;
  const std::string nonce = input.substr(0, name - 1);
  typename Signature<F>::Arguments arguments;
  Reader reader{input, arguments_at};
  if constexpr (std::tuple_size_v<decltype(arguments)> == 0) {
    reader.need('['), reader.need(']');
  } else {
    reader.read(arguments);
  }
  Writer writer;
  using Returned = decltype(std::apply(call, arguments));
  if constexpr (std::is_void_v<Returned>) {
    std::apply(call, arguments);
    writer.text = "null";
  } else {
    writer.write(std::decay_t<Returned>(std::apply(call, arguments)));
  }
  fflush(nullptr);
  std::cout.flush();
  const std::string answer = nonce + "{\"tagged\":" + writer.text + "}" + nonce;
  for (size_t done = 0; done < answer.size();) {
    const ssize_t count = ::write(answer_fd, answer.data() + done, answer.size() - done);
    if (count <= 0) break;
    done += count;
  }
  _exit(0);
}

}  // namespace call_driver
