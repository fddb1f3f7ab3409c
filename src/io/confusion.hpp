// confusion.hpp: the confusion matrix of a report with its figures a class. Not a metric library.
#pragma once

#include <string>

#include "adjoint/io/report.hpp"

namespace adjoint::io {

/// The section's content: matrix, recall and precision of each class, the most frequent mistakes.
std::string confusion_section(const Report& report);

}  // namespace adjoint::io
