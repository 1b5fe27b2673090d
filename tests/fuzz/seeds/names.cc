// Names with scopes, templates and operators.
namespace outer
{
template <typename T> struct box {
	T value;
	__attribute__((noinline)) T operator+(const box &other) const { return value + other.value; }
};

namespace
{
__attribute__((noinline)) int hidden(int (*function)(int), int value) { return function(value) + 1; }
} // namespace

struct base {
	virtual int size(int) = 0;
};
struct derived : base {
	int size(int n) override { return hidden([](int x) { return x * 7; }, n); }
};
} // namespace outer

extern "C" int begin(int n)
{
	outer::derived object;
	outer::box<int> a{n}, b{3};
	outer::box<outer::box<int> *> c{&a};

	return a + b + (c.value == &a) + object.size(n);
}
