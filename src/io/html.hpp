// html.hpp: text that is safe inside HTML, and numbers as a person writes them. Not a templating
// system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adjoint::io {

/// `text` with & < > " ' escaped, control characters and invalid UTF-8 as U+FFFD, cut after
/// `longest` characters.
std::string escape(std::string_view text, std::size_t longest = 200);

/// At most four significant digits: 0.3412, 12, 1.2e-05.
std::string figure(double v);
/// 44426 as 44 426 with narrow spaces.
std::string grouped(std::int64_t v);
/// 173.5 KiB.
std::string byte_text(std::int64_t bytes);

}  // namespace adjoint::io
