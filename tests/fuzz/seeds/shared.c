int shared(int value);
int shared(int value)
{
	return value * 3;
}
