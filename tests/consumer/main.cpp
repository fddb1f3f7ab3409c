// main.cpp: an outside program that uses the package as a stranger would: a gradient, training, a typed error.
// Not a test program of the library: it sees the public headers only and links whatever way its project says.
#include <adjoint/error.hpp>
#include <adjoint/mini.hpp>
#include <iostream>

int main() {
  adjoint::Error error({.op = "consumer", .message = "works"});
  std::cout << error.what() << "\n";
}
