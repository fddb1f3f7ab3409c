// command_support.hpp: running the built command, and a data set so small that training takes a moment. Not a place for tests.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "io/io_support.hpp"
#include "support/paths.hpp"

namespace adjoint::testing {

using Json = nlohmann::json;

struct Outcome {
  int code = -1;  ///< exit code, or -signal
  std::string out, err;
  /// The last line of standard output as an object.
  Json json() const {
    auto text = out;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const auto at = text.rfind('\n');
    Json j = Json::parse(at == text.npos ? text : text.substr(at + 1), nullptr, false);
    EXPECT_TRUE(j.is_object()) << "the last line is no object: " << out << err;
    return j.is_object() ? j : Json::object();
  }
};

/// One run of the command; its output goes into files of the given folder.
class CommandRun {
 public:
  CommandRun(const TempDir& dir, std::vector<std::string> words) : out_(dir / "stdout"), err_(dir / "stderr") {
    words.insert(words.begin(), ADJOINT_COMMAND);
    std::vector<char*> argv;
    for (auto& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const auto to = [](const std::string& path, int fd) { ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd); };
    to(out_, STDOUT_FILENO), to(err_, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  CommandRun(const CommandRun&) = delete;
  CommandRun& operator=(const CommandRun&) = delete;
  ~CommandRun() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, 0);
  }
  void signal(int number) { ::kill(pid_, number); }
  Outcome wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), get_text(out_), get_text(err_)};
  }

 private:
  std::string out_, err_;
  pid_t pid_ = 0;
};

inline Outcome run(const std::vector<std::string>& words) {
  const TempDir dir;
  return CommandRun(dir, words).wait();
}

/// The four IDX files of `side` x `side` pictures in three classes that differ in brightness.
inline void put_pictures(const TempDir& dir, int train = 60, int test = 20, int side = 16) {
  const auto put = [&](const std::string& part, int count) {
    const auto big_endian = [](Bytes& to, int n) {
      for (int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::byte>(n >> shift));
    };
    Bytes images = bytes_of({0, 0, 8, 3}), labels = bytes_of({0, 0, 8, 1});
    for (int n : {count, side, side}) big_endian(images, n);
    big_endian(labels, count);
    for (int i = 0; i < count; ++i) {
      labels.push_back(static_cast<std::byte>(i % 3));
      for (int p = 0; p < side * side; ++p) images.push_back(static_cast<std::byte>((i % 3) * 80 + (i * 31 + p * 17) % 60));
    }
    put_file(dir / (part + "-images-idx3-ubyte"), images);
    put_file(dir / (part + "-labels-idx1-ubyte"), labels);
  };
  put("train", train);
  put("t10k", test);
}

/// `adjoint train image` on such a folder, with more words behind.
inline std::vector<std::string> train_words(const TempDir& data, const std::string& out, std::initializer_list<std::string> more = {}) {
  std::vector<std::string> words{"train", "image", "--data", data.path(), "--out", out, "--batch", "8", "--json"};
  words.insert(words.end(), more);
  return words;
}

inline int lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace adjoint::testing
