"""Small templates for make_jinja_fixtures.py: every statement, filter, test and method, and its errors."""

# What every snippet sees.
VARIABLES = {
    "text": "Hello World",
    "uni": "naïve café Ünïcode 日本語 😀 ß",
    "combining": "e\u0301a",
    "lines": "one\ntwo\n\nthree",
    "padded": "  \t pad me \n ",
    "numbers": [3, 1, 2],
    "floats": [1.5, 2.25, -0.5],
    "mixed": [1, "a", 2.5, None, True, [1, 2], {"k": "v"}],
    "words": ["banana", "Apple", "cherry", "apple"],
    "d": {"b": 1, "a": 2, "C": 3},
    "nested": {"x": {"y": {"z": "deep"}}, "list": [{"n": 1}, {"n": 2}]},
    "people": [
        {"name": "Ann", "age": 30, "city": "Rome", "tags": ["x", "y"]},
        {"name": "bob", "age": 25, "city": "Oslo"},
        {"name": "Cid", "age": 30, "city": "rome", "tags": []},
    ],
    "tree": [{"v": 1, "kids": [{"v": 2, "kids": [{"v": 3, "kids": []}]}, {"v": 4, "kids": []}]}],
    "empty": [], "nothing": None, "yes": True, "no": False, "zero": 0, "one": 1, "big": 10**15, "pi": 3.14159,
    "html": "<b a='1'>&\"x\"</b>", "keys": {"items": 1, "get": 2, "pop": 3, "_x": 4, "copy": 5},
    "json": {"s": "a\"b\\c\n\t\u0001\u007fé😀</script>&'", "n": None, "t": True, "f": 1.0, "e": [], "o": {}, "l": [1, [2]]},
}

def output(expressions):
    return ["{{ " + line.strip() + " }}" for line in expressions.strip().splitlines() if line.strip()]

LITERALS = output(r"""
1
1_000
0x1F
0o17
0b101
0XaF
007
1.5
1e3
1.5e-7
1E+2
1_0.2_5
1.e3
.5
'a' "b"
'a' 'b' ~ 'c'
'it\'s' ~ "q\"q"
'\n\t\\'|tojson
'\x41\u00e9\U0001F600\101'
'\q\é'
'a\
b'
[1, 2, ]
[]
()
(1,)
(1, 2)
1, 2
{}
{'a': 1, "b": [1, {'c': None}]}
{'a': 1, 'a': 2}
{1: 'x', 1.0: 'y', True: 'z'}
{(1, 2): 'tuple'}
{[1]: 2}
true, false, none, True, False, None
['a', 1.0, None, True]
['it\'s', "say \"hi\"", "both ' and \""]
["\n\r\t\\\x00\x1b\x7f\u00ad\u200b\u2028\u00a0é日😀"]
[1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 0.1, 1/3, 1e22, 1e100, -0.0, 5e-324, 1.7976931348623157e308]
1e400, -1e400, 1e400 - 1e400
[[], {}, (), '', [[]], ((),)]
1 2
'abc
"a" "b
""")

ARITHMETIC = output(r"""
1 + 2 * 3
(1 + 2) * 3
7 / 2
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
-7.5 % 2
7.5 // 2
-7.5 // 2
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
2.5 ** 2
0 ** 0
4 / 2
1 / 3
10 % 3.5
1 - 2 - 3
2 * 3 % 4
8 / 2 / 2
+5, -5, --5, -+5
-one
+true
true + true
true * 3
'a' + 'b'
'a' * 3
3 * 'ab'
'a' * -1
'a' * true
[1] + [2]
[0] * 3
2 * [1, 2]
(1,) + (2,)
(1,) * 2
'a' + 1
1 + 'a'
[1] + (2,)
[1] - [1]
none + 1
1 / 0
1 // 0
1 % 0
1.0 / 0
1.0 % 0
0.0 ** -1
1 - true
{} + {}
1.5 + 1
0.1 + 0.2
1e308 * 10
100 * 1.1
3 * 1.0
-'a'
9007199254740993 + 0
1 ~ 2
'a' ~ 1.0 ~ none ~ true ~ [1] ~ missing
1 + 2 ~ 3 + 4
1 ~ 2 * 3
2 * 1 ~ 3
'%s' % 1
'%s and %s' % ('a', 2)
'%d' % 3.99
'%5d|%-5d|%05d|%+d|% d' % (1, 2, 3, 4, 5)
'%.2f %e %g %G' % (3.14159, 12345.678, 0.00001, 1e20)
'%x %X %o %#x %#o' % (255, 255, 8, 255, 8)
'%(a)s-%(b)05.1f' % {'a': 1, 'b': 2.25}
'%s %%' % 'x'
'%r %a' % ('é\n', 'é')
'%c%c' % (65, 'z')
'%10s|%-10s|%.2s' % ('abc', 'abc', 'abc')
'%*d|%.*f' % (5, 1, 2, 1.239)
'%s' % [1, 2]
'%s' % (none,)
'%s %s' % 'a'
'%s' % ('a', 'b')
'%d' % 'a'
'%z' % 1
'%' % 1
'%(a)s' % 1
'%s' % missing
'%i%u' % (1, 2)
'%5.1f%%' % 45.67
'%.0f' % 2.5
'%.0f' % 3.5
'%g' % 100000.0
'%g' % 1000000.0
'%s' % 1e16
""")

COMPARISONS = output(r"""
1 == 1.0
1 == true
'1' == 1
1 != 2
1 < 2 < 3
1 < 3 < 2
1 < 2 > 1 == 1
'a' < 'b'
'a' < 'B'
'é' > 'z'
[1, 2] < [1, 3]
[1, 2] < [1, 2, 0]
(1, 2) == [1, 2]
[1, [2]] == [1, [2]]
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
1 < 'a'
none < 1
none == none
none == false
[] == false
missing == missing
missing == none
missing == ''
missing < 1
[1] < ['a']
2 in [1, 2]
'a' in 'abc'
'' in 'abc'
1 in 'abc'
'a' in {'a': 1}
1 in {'a': 1}
1 not in [1]
'x' not in 'abc'
[1] in [[1], 2]
1 in none
1 in 1
1 in missing
'a' in ('a', 'b')
true in [1]
[] in {}
not true
not not 1
not 1 == 2
not 1 in [2]
not (1 in [1])
true and false or true
1 and 2
0 and 2
0 or 'x'
'' or none or []
1 or missing.x
false and missing.x
not missing
1 if true
1 if false
(1 if false) is defined
1 if false else 2
1 if 0 else 2 if 0 else 3
'a' if true else missing.x.y
missing.x if false else 'ok'
1 > 2 or 3 > 2 and not false
1 == 1 and 2 == 2
1 <= 1 >= 1
1.5 >= 1
1 == 1 == 1
'a' == 'a' != 'b'
combining == 'éa'
combining|length
combining in ['éa']
""")

ACCESS = output(r"""
text[0]
text[-1]
text[20]
text[1:4]
text[:3]
text[3:]
text[::-1]
text[::2]
text[-3:]
text[5:2]
text[10:0:-3]
text[:]
text[::0]
text[none:3]
text['a']
text[1.0:]
uni[0:5]
uni[::-1]
uni[6:-2:3]
uni|length
numbers[0]
numbers[-1]
numbers[5]
numbers[1:]
numbers[::-1]
numbers[-100:100]
numbers[100:]
numbers[true]
numbers['0']
numbers[1.0]
numbers.0
numbers.1
nested.list.1.n
nested.x.y.z
nested['x']['y']['z']
nested.x['y'].z
nested.missing
nested.missing.more
nested['missing']
d.b
d['a']
d.items()
d.keys()
d.values()
d.items()|list
keys['items']
keys.get('get')
keys.pop
keys['pop']
keys._x
keys.copy is callable
d.get('b')
d.get('zz')
d.get('zz', 'dflt')
d.get()
d.get([1])
d[[1]]
(1, 2)[0]
(1, 2, 3)[1:]
{'a': {'b': 1}}.a.b
{1: 'x'}[1]
{1: 'x'}[1.0]
{'1': 'x'}.1
{none: 'x'}[none]
[1, 2, 3][1]
'abc'[1]
'abc'.upper()
missing
missing.x
missing['x']
missing[0]
missing()
missing.x()
missing|length
missing + 1
missing ~ 'x'
missing|upper
missing|default('d')
nothing.x
nothing['x']
nothing.x.y
one.x
one.real
pi.is_integer()
text.__class__
text.__class__.__mro__
numbers.append
numbers.append(4)
d.update({'z': 1})
d.pop('b')
numbers.sort()
text.nope
text.nope()
range(5)
range(1, 5)
range(0, 10, 3)
range(5)|list
range(5, 0, -2)|list
range(0)|list
range(5)[2]
range(5)[-1]
range(5)[9]
range(10)[2:5]
range(10)[::-2]|list
range(3) == range(0, 3)
range(5)|length
3 in range(5)
range()
range(1, 2, 0)
range('a')
range(200000)
range(1.0)
dict(a=1, b=2)
dict([('x', 1), ('y', 2)])
dict({'a': 1}, b=2)
dict()
dict([1])
dict.fromkeys(['a', 'b'], 0)
namespace(a=1, b='x')
namespace({'a': 1}).a
namespace(a=1).b
namespace(_a=1)
d[missing]
d['a', 'b']
x.1.2
text.0
""")

METHODS = output(r"""
padded.strip()
padded.lstrip()|tojson
padded.rstrip()|tojson
'xxabcxx'.strip('x')
'xyabcyx'.strip('xy')
'abc'.strip(none)
'\u3000a\u00a0\u2003'.strip()
'a b  c'.split()
'a b  c'.split(' ')
'a,b,c'.split(',', 1)
'a,b,c'.split(',', maxsplit=1)
'a,b,c'.split(sep=',')
'a,b,c'.rsplit(',', 1)
' a  b c '.rsplit(none, 1)
' a  b c '.split(none, 1)
'  '.split()
''.split()
''.split(',')
'abc'.split('')
'aXbXc'.split('X', 0)
lines.splitlines()
lines.splitlines(true)
'a\r\nb\rc\x0bd\x1ce\u2028f'.splitlines()
'a\r\nb'.splitlines(keepends=true)
''.splitlines()
'abc'.startswith('ab')
'abc'.startswith(('x', 'a'))
'abc'.startswith('b', 1)
'abc'.startswith('')
'abc'.startswith(['a'])
'abc'.endswith('bc')
'abc'.endswith(('x', 'c'))
'abc'.endswith('b', 0, 2)
'abcabc'.replace('b', 'X')
'abcabc'.replace('b', 'X', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'aaa'.replace('aa', 'b')
'abc'.replace('b')
text.upper()
text.lower()
text.title()
"they're bill's".title()
'hello wORLD'.capitalize()
text.swapcase()
uni.upper()
uni.lower()
uni.title()
'ΑΣ ΑΣΑ Σ'.lower()
'ﬁ ǆ'.title()
'ﬁx'.capitalize()
'STRASSE ß'.casefold()
'abcabc'.find('c')
'abcabc'.rfind('c')
'abc'.find('z')
'abcabc'.find('a', 1)
'abcabc'.find('a', 1, 3)
'abcabc'.find('a', -3)
uni.find('日')
uni.rfind('é')
'abc'.index('c')
'abc'.index('z')
'abcabc'.rindex('b')
'aaaa'.count('aa')
'abc'.count('')
'abcabc'.count('b', 2)
'-'.join(['a', 'b'])
'-'.join('abc')
''.join([])
'-'.join([1])
'-'.join(d)
'{} {}'.format('a', 1)
'{0} {1} {0}'.format('a', 'b')
'{name}!'.format(name='x')
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {:,} {:_}'.format(42, 42, 1234567, 1234567)
'{:.2f} {:e} {:g} {:%}'.format(3.14159, 12345.678, 0.0001, 0.256)
'{:x} {:X} {:#x} {:b} {:o} {:c}'.format(255, 255, 255, 5, 8, 65)
'{:10.3f}|{:<10.1f}|{:010.2f}'.format(3.14159, 2.5, -1.5)
'{!r} {!s} {!a}'.format('é', 'é', 'é')
'{:s} {:.2s}'.format('abc', 'abc')
'{a[0]} {b.name}'.format(a=[1], b=people[0])
'{b[name]}'.format(b=people[0])
'{:{}}|'.format('a', 5)
'{{}} {}'.format(1)
'{}'.format(none)
'{}'.format([1, 'a'])
'{}'.format(1.0)
'{:.3}'.format(3.14159)
'{:.3}'.format(12345.678)
'{:}'.format(true)
'{:d}'.format(true)
'{:5}'.format(true)
'{:,.2f}'.format(1234567.891)
'{:=+8d}'.format(42)
'{:08,d}'.format(1234)
'{} {0}'.format(1)
'{'.format(1)
'}'.format(1)
'{}'.format()
'{x}'.format()
'{:d}'.format('a')
'{:q}'.format(1)
'{a}'.format_map({'a': 1})
'abc123'.isalnum()
'abc'.isalpha()
'日本'.isalpha()
''.isalpha()
'123'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
'٣'.isdigit()
' \t'.isspace()
''.isspace()
'ABC1'.isupper()
'abc1'.islower()
'1'.islower()
'Hello World'.istitle()
'abc'.isidentifier()
'1a'.isidentifier()
'abc'.isascii()
'é'.isascii()
'a\n'.isprintable()
'42'.zfill(5)
'-42'.zfill(5)
'abc'.zfill(2)
'prefix-x'.removeprefix('prefix-')
'x.txt'.removesuffix('.txt')
'abc'.removesuffix('')
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('=')
'abc'.rpartition('=')
'abc'.partition('')
'ab'.center(5)
'ab'.center(6, '*')
'abc'.center(6, '*')
'abc'.center(8)
'ab'.ljust(5, '.')
'ab'.rjust(5, '.')
'ab'.ljust(5, '..')
'é'.center(4, 'ü')
'a\tb'.expandtabs(4)
'a'.upper(1)
'a'.upper(x=1)
[1, 2, 1].count(1)
[1, 2, 1].index(2)
[1, 2].index(5)
(1, 2, 1).count(1)
(1, 2).index(2)
[1, 2].copy()
{'a': 1}.copy()
d.keys()|list
d.values()|sum
d.items()|first
'a' in d.keys()
1 in d.values()
d.keys() == d.keys()
d.keys()[0]
d.items()|length
""")

FILTERS = output(r"""
-5|abs
-5.5|abs
'a'|abs
true|abs
people|map(attribute='name')|join(', ')
people|map(attribute='city')|map('lower')|unique|list
people|map(attribute='missing', default='?')|list
people|map(attribute='tags.0', default='none')|list
people|map('length')|list
words|map('upper')|list
words|map('replace', 'a', 'o')|list
words|map('nope')|list
empty|map('nope')|list
words|map()|list
words|map('upper')|length
words|map('upper') is iterable
(words|map('upper'))[0]
{'a': 1}|attr('a')
text|attr('upper') is callable
d|attr('items') is callable
[1, 2, 3, 4, 5]|batch(2)|list
[1, 2, 3]|batch(2, 'x')|list
[]|batch(2)|list
[1, 2, 3, 4, 5]|slice(3)|list
[1, 2, 3, 4, 5]|slice(3, 'x')|list
'hello world'|capitalize
uni|capitalize
'ab'|center(6)
'ab'|center
numbers|count
text|length
1|length
d|length
missing|d('x')
''|default('x')
''|default('x', true)
none|default('x')
none|default('x', boolean=true)
0|d(5, true)
missing|default
d|dictsort
d|dictsort(true)
d|dictsort(by='value')
d|dictsort(reverse=true)
d|dictsort(false, 'value', true)
d|dictsort(by='x')
html|e
html|escape
html|forceescape
123|e
1000|filesizeformat
1|filesizeformat
1500000|filesizeformat
1024|filesizeformat(true)
123456789|filesizeformat(binary=true)
numbers|first
''|first
empty|first
empty|first is defined
numbers|last
'abc'|last
empty|last
d|first
d|last
range(3)|last
(numbers|select)|last
1|first
'1.5'|float
'x'|float
'x'|float(2.5)
'x'|float(default=none)
none|float
true|float
'inf'|float
'-Infinity'|float
'1_000.5'|float
' 12 '|float
'1e5'|float
'1.'|float
'.5'|float
'0x10'|float
'%s-%s'|format('a', 1)
'%(x)s'|format(x=5)
'%s'|format('a', 'b')
'%s'|format(1, x=2)
people|groupby('age')|list
people|groupby('city')|map('first')|list
people|groupby('city', case_sensitive=true)|map('first')|list
people|groupby('tags', default='')|map(attribute='grouper')|list
(people|groupby('age'))[0].grouper
(people|groupby('age'))[0].list|length
(people|groupby('age'))[0][1]|length
people|groupby(attribute='missing', default='z')|length
lines|indent
lines|indent(2)
lines|indent(2, true)
lines|indent(2, blank=true)
lines|indent('> ', first=true, blank=true)
''|indent
'a\n'|indent
'a\n\n'|indent(1, false, true)
1|indent
'12'|int
'12.9'|int
'x'|int
'x'|int(5)
'x'|int(default=7)
'ff'|int(base=16)
'0xff'|int(0, 16)
'0b11'|int(0, 2)
'0o7'|int(0, 0)
'12'|int(0, 0)
'1_000'|int
' 7 '|int
'-7'|int
'+7'|int
'٣'|int
12.9|int
-12.9|int
true|int
none|int
none|int(default=-1)
[]|int
'1e3'|int
''|int
'nan'|int
missing|int
missing|float
numbers|join
numbers|join(', ')
numbers|join(d='-')
people|join(', ', attribute='name')
'abc'|join('-')
[1, none, 'a', missing]|join('|')
1|join
d|join(',')
'abc'|list
d|list
missing|list
1|list
(1, 2)|list
d.items()|list
text|lower
123|lower
none|upper
numbers|max
numbers|min
words|max
words|min
words|min(case_sensitive=true)
people|max(attribute='age')
people|min(attribute='age')
empty|max
[1, 'a']|max
[]|min is defined
[1, 2]|pprint
{'b': 1, 'a': 'x'}|pprint
people|pprint
nested|pprint
words|reject('equalto', 'Apple')|list
[0, 1, '', 'a', none]|reject|list
[0, 1, '', 'a', none]|select|list
[1, 2, 3, 4]|select('even')|list
[1, 2, 3, 4]|select('odd')|list
[1, 2, 3, 4]|select('divisibleby', 3)|list
[1, 2, 3, 4]|select('>', 2)|list
[1, 2, 3, 4]|select('in', [2, 3])|list
[1, 'a', none]|select('string')|list
[1]|select('nope')|list
people|selectattr('tags')|map(attribute='name')|list
people|selectattr('age', 'equalto', 30)|map(attribute='name')|list
people|selectattr('age', '==', 30)|list|length
people|selectattr('tags', 'defined')|list|length
people|selectattr('tags.0', 'defined')|map(attribute='name')|list
people|rejectattr('age', 'gt', 26)|map(attribute='name')|list
people|rejectattr('tags')|map(attribute='name')|list
people|selectattr|list
people|selectattr('city', 'in', ['Rome'])|map(attribute='name')|list
'abcabc'|replace('a', 'x')
'abcabc'|replace('a', 'x', 1)
'abcabc'|replace(old='a', new='y')
123|replace(2, 'x')
'abc'|reverse
numbers|reverse|list
d|reverse|list
uni|reverse
(numbers|select)|reverse
1|reverse
2.5|round
3.5|round
2.567|round(2)
2.567|round(1, 'floor')
2.561|round(2, 'ceil')
-2.5|round
1234.5|round(-2)
1250|round(-2)
1350|round(-2)
5|round
5|round(2)
2.675|round(2)
0.5|round|int
1e20|round(2)
42.55|round(1)
42.7|round(method='floor')
'a'|round
2.5|round(0, 'x')
'a'|safe ~ 'b'
numbers|sort
numbers|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
words|sort(false, true)
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
people|sort(attribute='city', reverse=true)|map(attribute='name')|list
[1, 'a']|sort
d|sort
'hello'|sort
[[2, 1], [1, 2]]|sort
[true, 0, 2]|sort
1|string
none|string
[1]|string
1.0|string ~ 'x'
'<b>bold</b> &amp; <!-- c --> x'|striptags
numbers|sum
floats|sum
people|sum(attribute='age')
people|sum('age', 100)
['a']|sum
[[1], [2]]|sum(start=[])
[]|sum
'hello world-foo (bar) [baz] it\'s'|title
'HELLO'|title
uni|title
json|tojson
json|tojson(indent=2)
json|tojson(indent=0)
json|tojson(indent='\t')
json|tojson(ensure_ascii=true)
json|tojson(true)
d|tojson(sort_keys=true)
{'b': {'z': 1, 'a': 2}, 'a': 1}|tojson(sort_keys=true, indent=4)
json|tojson(separators=(',', ':'))
json|tojson(indent=1, separators=(', ', ' = '))
[]|tojson(indent=2)
{}|tojson(indent=2)
[[], {}]|tojson(indent=2)
'a'|tojson
none|tojson
1.0|tojson
1e100|tojson
[1e400, -1e400, 1e400 - 1e400]|tojson
(1, 2)|tojson
{1: 'a', none: 'b', true: 'c', 1.5: 'd'}|tojson
{(1, 2): 1}|tojson
missing|tojson
[missing]|tojson
numbers|map('string')|tojson
d.items()|tojson
range(3)|tojson
'\u2028\ud7ff\uffff'|tojson
'\u2028é😀\x7f'|tojson(ensure_ascii=true)
'<>&\''|tojson
padded|trim
'xxaxx'|trim('x')
123|trim
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, leeway=0)
'foo bar baz qux'|truncate(9, false, '…', 0)
'foo'|truncate(2)
words|unique|list
words|unique(true)|list
people|unique(attribute='age')|map(attribute='name')|list
[[1], [1]]|unique|list
[1, 1.0, true, '1']|unique|list
text|upper
uni|upper
'a b/c?d=é&f'|urlencode
{'a b': 'c/d', 'e': 1}|urlencode
[('a', 1), ('b', '2 3')]|urlencode
5|urlencode
'Hello, world! it\'s a_b 3.5'|wordcount
uni|wordcount
'The quick brown fox jumped over the lazy dog'|wordwrap(15)
'aaaaaaaaaaaaaaaaaaaaaaaaaaaa bb'|wordwrap(10)
'aaaaaaaaaaaaaaaaaaaaaaaaaaaa bb'|wordwrap(10, false)
'well-known state-of-the-art thing'|wordwrap(12)
'well-known state-of-the-art thing'|wordwrap(12, break_on_hyphens=false)
'one two\nthree four five'|wordwrap(8, wrapstring='|')
'a -- b --- c--d'|wordwrap(5)
{'class': 'a b', 'id': none, 'x': '<'}|xmlattr
{'a': 1}|xmlattr(false)
{'a b': 1}|xmlattr
{}|xmlattr
text|nope
text|upper|lower|title
text|upper()
-1|abs
(-1)|abs
1 + -1|abs
'a' ~ 'b'|upper
('a' ~ 'b')|upper
'a' + 'b'|upper
not ''|length
text|replace('o', '0')|upper|length + 1
numbers|sort|first|string + 'x'
d|items|list
missing|items|list
1|items|list
[3, 1]|sort|join(',') ~ '!'
text|length > 5 and text|upper == 'HELLO WORLD'
'a'|upper.lower()
people[0].name|upper
text|default('x')[0]
(text|upper)[0]
[1,2,3]|join(d=', ', attribute=none)
'%.1f'|format(2.25)
text|truncate(length=5, end='')
text|replace
text|upper(1)
html|e|e
html|safe|e
html|e ~ '<'
html|e + '<'
'<' + html|e
('<'|safe)|forceescape
'<'|safe + '<' + 'a&b'|safe
['<'|safe, '<'|e]
('<%s>'|safe) % '<'
('<%s %r %d>'|safe)|format('<', '<', 3)
('{}<{}'|safe).format('<', 1)
('a'|safe).join(['<', 'b'])
('a<b'|safe).replace('a', '<')
('a b'|safe).split() + ['<']
('ab'|safe)[0] + '<'
('ab'|safe)|upper + '<'
('ab'|safe)|replace('a', '<')
('ab'|safe)|title is escaped
('ab'|safe) is escaped
(' ab '|safe)|trim is escaped
('ab'|safe) * 2 + '<'
('a'|safe ~ '<') + '<'
('a'|safe) == 'a'
('a'|safe) + 1
{'a'|safe: 1}['a']
('a\nb'|safe)|indent + '<'
('ab'|safe)|reverse + '<'
('abc def'|safe)|truncate(4, end='<', leeway=0)
('a'|safe)|tojson
'<'|safe|string is escaped
('a'|safe)|join('<')
['a'|safe, '<']|join
""")

TESTS = output(r"""
text is defined
missing is defined
missing is not defined
missing is undefined
nested.x.q is defined
nothing is none
nothing is not none
yes is true
yes is boolean
one is boolean
no is false
one is integer
yes is integer
pi is float
one is float
one is number
yes is number
'1' is number
text is string
numbers is sequence
text is sequence
d is sequence
missing is sequence
d.items() is sequence
(1, 2) is sequence
one is sequence
range(3) is sequence
(numbers|map('string')) is sequence
d is mapping
numbers is mapping
namespace() is mapping
numbers is iterable
missing is iterable
one is iterable
text is iterable
namespace() is iterable
(numbers|map('string')) is iterable
3 is odd
4 is even
3.0 is odd
'a' is odd
10 is divisibleby 5
10 is divisibleby(3)
10 is divisibleby 0
'abc' is lower
'ABC' is upper
'Abc' is lower
1 is lower
'1' is upper
1 is eq 1
1 is equalto 1.0
1 is == 1
1 is ne 2
1 is sameas 1
true is sameas true
1 is sameas true
text is sameas text
numbers is sameas numbers
[1] is sameas [1]
none is sameas none
1 is lt 2
2 is le 2
3 is gt 2
3 is ge 4
3 is greaterthan 2
1 is lessthan 2
1 is lt 'a'
1 is in [1, 2]
'a' is in 'abc'
1 is not in [1]
text is in
range is callable
text is callable
text.upper is callable
missing is callable
'upper' is filter
'nope' is filter
'odd' is test
'nope' is test
1 is filter
text is escaped
text is nope
text is not nope
1 is odd and 2 is even
1 is odd or missing.x
not 1 is odd
not 1 is not odd
1 is odd is true
(1 is odd) is true
text is defined and text is string and text|length > 3
1 + 1 is even
-1 is odd
2 is even if true else 3
text is string ~ 'x'
1 is integer == true
numbers[0] is odd
people[0].age is divisibleby 3
1 is in([1])
5 is divisibleby(num=5)
x is defined and x.y
'a' is in ['a', 'b'] and true
none is none is none
[] is sequence
nothing is defined
loop is defined
""")

STATEMENTS = [
    "{% if yes %}a{% endif %}", "{% if no %}a{% else %}b{% endif %}",
    "{% if no %}a{% elif yes %}b{% elif nope.x %}c{% else %}d{% endif %}", "{% if no: %}a{% else: %}b{% endif %}",
    "{% if 1, 2 %}tuple{% endif %}", "{% if missing %}x{% endif %}y", "{% if yes %}", "{% endif %}",
    "{% if yes %}{% if no %}x{% endif %}y{% endif %}", "{% if %}x{% endif %}", "{% if 1 if 2 %}x{% endif %}",
    "{% for x in numbers %}{{ x }},{% endfor %}", "{% for x in numbers %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in empty %}{{ x }}{% else %}none{% endfor %}", "{% for x in missing %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in nothing %}{% endfor %}", "{% for x in 5 %}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d %}{{ k }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}", "{% for a, in [(1,)] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for c in 'añb' %}{{ c }}.{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in (1, 2) %}{{ x }}{% endfor %}",
    "{% for x in numbers if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{{ loop.last }} {% endfor %}",
    "{% for x in numbers if x > 9 %}{{ x }}{% else %}E{% endfor %}",
    "{% for x in numbers if missing.y %}{{ x }}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for x in [1,2,3,4] if ns.n < 2 %}{{ x }}{% set ns.n = ns.n + 1 %}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for x in [1,2,3,4] if ns.n < 2 %}{{ loop.last }}{{ x }}{% set ns.n = ns.n + 1 %}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for x in [1,2,3,4] if ns.n < 2 %}{{ loop.length }}{{ x }}{% set ns.n = ns.n + 1 %}{% endfor %}",
    "{% for x in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in numbers %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in numbers %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in numbers %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in numbers %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}", "{% for x in numbers %}{{ loop }}{% endfor %}",
    "{% for x in numbers %}{{ loop.nope }}{% endfor %}", "{% for x in numbers %}{{ loop.nope.x }}{% endfor %}",
    "{{ loop }}", "{{ loop.index }}", "{% for x in [1] %}{% set loop = 1 %}{% endfor %}",
    "{% for loop in [1] %}{% endfor %}", "{% for x in [1, 2] %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in [1, 2] %}{% set outer = loop %}{% for y in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in numbers %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in numbers %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in [1] %}{% break %}{% else %}E{% endfor %}", "{% for x in [1] %}{% continue %}{% else %}E{% endfor %}",
    "{% for x in [1, 2] %}{% if x == 1 %}{% continue %}{% endif %}{% else %}E{% endfor %}", "{% break %}", "{% continue %}",
    "{% for x in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in [1, 2] %}{% set y %}{% if x == 1 %}{% continue %}{% endif %}v{% endset %}{{ y }}{% endfor %}",
    "{% for x in [1, 2] %}{% with %}{% break %}{% endwith %}{% endfor %}done",
    "{% for n in tree recursive %}{{ n.v }}{{ loop.depth }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}{{ loop(n.kids) }}{% else %}-{% endfor %}", "{% for n in tree %}{{ loop(n.kids) }}{% endfor %}",
    "{% for n in tree recursive %}{{ loop() }}{% endfor %}", "{% for x in numbers recursive %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for n in tree if n.v recursive %}{{ n.v }}{{ loop(n.kids) }}{% endfor %}", "{% for x in numbers|sort %}{{ x }}{% endfor %}",
    "{% for x in numbers|map('string') %}{{ x }}{{ loop.length }}{% endfor %}", "{% set g = numbers|map('string') %}{{ g|list }}{{ g|list }}",
    "{% for x in numbers %}", "{% for x in %}{% endfor %}", "{% for in numbers %}{% endfor %}", "{% for x numbers %}{% endfor %}",
    "{% for 1 in numbers %}{% endfor %}", "{% for x.y in numbers %}{% endfor %}", "{% for x in numbers %}{% endif %}{% endfor %}",
    "{% set x = 1 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set (x, y) = (1, 2) %}{{ x }}{{ y }}",
    "{% set x, y = 'ab' %}{{ y }}{{ x }}", "{% set x, y = 1 %}", "{% set x = 1, 2 %}{{ x }}", "{% set x %}block {{ text }}{% endset %}{{ x }}!",
    "{% set x | upper %}block {{ text }}{% endset %}{{ x }}", "{% set x | replace('b', 'c') | upper %}block{% endset %}{{ x }}",
    "{% set x = 1 if no %}{{ x is defined }}", "{% set none = 1 %}", "{% set 1 = 1 %}", "{% set x.y = 1 %}", "{% set text.y = 1 %}",
    "{% set d.b = 1 %}", "{% set [a, b] = 1, 2 %}", "{% set x = %}", "{% set x %}", "{% set = 1 %}",
    "{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{% set ns.b = ns.a + 1 %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, ns.b = 3, 4 %}{{ ns.a }}{{ ns.b }}{{ ns }}", "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{% set ns = namespace(a=[]) %}{% for x in numbers %}{% set ns.a = ns.a + [x * 2] %}{% endfor %}{{ ns.a }}",
    "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns.self.self is sameas ns }}", "{% set ns = namespace(t='') %}{% set ns.t %}cap{% endset %}{{ ns.t }}",
    "{% set x = 1 %}{% for y in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}", "{% for y in [1, 2] %}{{ z }}{% set z = y %}{{ z }}{% endfor %}{{ z }}",
    "{% set x = 1 %}{% for y in [1, 2] %}{{ x }}{% set x = x + 1 %}{% endfor %}{{ x }}", "{% if yes %}{% set x = 1 %}{% endif %}{{ x }}",
    "{% if no %}{% set text = 1 %}{% endif %}{{ text }}", "{% if yes %}{% set text = 1 %}{% else %}{% set text = 2 %}{% endif %}{{ text }}",
    "{% for x in [1] %}{% if yes %}{% set text = 'in' %}{% endif %}{{ text }}{% endfor %}{{ text }}",
    "{% for x in [1] %}{% if no %}{% set text = 'in' %}{% endif %}{{ text }}{% endfor %}", "{% set text = text ~ '!' %}{{ text }}",
    "{% macro m() %}{{ text }}{% endmacro %}{{ m() }}{% set text = 'new' %}{{ m() }}", "{{ text }}{% macro m() %}{{ text }}{% endmacro %}{{ m() }}{% set text = 'new' %}{{ m() }}",
    "{% for x in [1] %}{{ text }}{% endfor %}{% set text = 'late' %}", "{% for x in numbers %}{% endfor %}{{ x }}", "{% set x = 5 %}{% for x in numbers %}{% endfor %}{{ x }}",
    "{% for x in [1, 2] %}{% for y in [x] %}{% set text = y %}{{ text }}{% endfor %}{{ text }}{% endfor %}",
    "{% with %}{% set text = 1 %}{{ text }}{% endwith %}{{ text }}", "{% with a=1, b=2 %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with a=1 %}{% with a=2, b=a %}{{ a }}{{ b }}{% endwith %}{% endwith %}", "{% with a, b = 1, 2 %}{{ a }}{{ b }}{% endwith %}", "{% with (a, b) = (1, 2) %}{{ a }}{{ b }}{% endwith %}",
    "{% with text=text|upper %}{{ text }}{% endwith %}{{ text }}", "{% with a %}{% endwith %}",
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(a=4) }}{{ m(b=5, a=6) }}{{ m() }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=1) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m(a=text) %}{{ a }}{% endmacro %}{{ m() }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(7) }}", "{% macro m(a=b, b=1) %}{{ a }}|{{ b }}{% endmacro %}{{ m() }}{{ m(b=3) }}",
    "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(a, a) %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{% macro m() %}",
    "{% macro m() %}x{% endmacro %}{{ m }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{{ m() }}{% macro m() %}x{% endmacro %}",
    "{% macro m(x) %}{% set y = x * 2 %}{{ y }}{% endmacro %}{{ m(2) }}{{ y }}", "{% macro fact(n) %}{{ n * fact(n - 1)|int if n > 1 else 1 }}{% endmacro %}{{ fact(5) }}",
    "{% macro m(n) %}{% if n %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for x in [1, 2] %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in {{ text }}{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}+{{ b }}{% endcall %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m(caller=none) %}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}y{% endcall %}",
    "{% macro m(caller) %}{{ caller() }}{% endmacro %}", "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}", "{% call text %}{% endcall %}", "{% call m() %}",
    "{% macro outer() %}{% macro inner() %}i{{ text }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(m(1)) }}", "{{ [1]|map(m)|list }}",
    "{% macro m(*args) %}{% endmacro %}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}{{ m(*[5], **{'b': 6}) }}", "{% macro m(a, b) %}{{ a }}{% endmacro %}{{ m(a=1, 2) }}",
    "{% macro m() %}{% set ns.x = 2 %}{% endmacro %}{% set ns = namespace(x=1) %}{{ m() }}{{ ns.x }}", "{% filter upper %}a{{ text }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}banana{% endfilter %}",
    "{% filter nope %}{% endfilter %}", "{% filter upper %}{% set q = 1 %}{{ q }}{% endfilter %}{{ q }}", "{% raw %}{{ x }}{% if %}{% endraw %}", "{% raw %}", "{% raw %}a{%- endraw -%} b", "a {%- raw -%} b {%- endraw -%} c", "{% raw +%}x{% endraw %}",
    "{# comment #}a{# {{ x }} {% if %} #}b", "{# open", "a{#- c -#} b", "{##}x", "{#-#}x", "{% block b %}in{{ text }}{% endblock %}", "{% set x = 1 %}{% block b %}{{ x }}{% set x = 2 %}{{ x }}{% endblock %}{{ x }}",
    "{% for x in [1] %}{% block b %}[{{ x }}]{% endblock %}{% endfor %}", "{% for x in [1] %}{% block b scoped %}[{{ x }}]{% endblock %}{% endfor %}", "{% block b %}{% endblock b %}x", "{% block b %}{% endblock %}{% block b %}{% endblock %}",
    "{% generation %}g{{ text }}{% endgeneration %}", "{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}", "{% for m in people %}{% generation %}{{ m.name }}{{ loop.index }}{% endgeneration %}{% endfor %}", "{%- generation -%} a {%- endgeneration -%} b", "{% generation %}",
    "{% print 1, 2 %}", "{% nope %}", "{% 1 %}", "{% %}", "{{ }}", "{{", "{%", "{#", "{{ 1", "{% if 1", "}}", "%}", "{{ 1 }} }}", "{ { 1 } }", "{{ {'a': {'b': 1}}['a'] }}", "{{ {'a': 1} }}}", "{{ '}}' }}", "{{ '%}' }}{% if '%}' %}x{% endif %}",
    "{{ ) }}", "{{ (1] }}", "{{ [1, 2 }}", "{{ {'a' 1} }}", "{{ a b }}", "{{ a. }}", "{{ a.'b' }}", "{{ 1 + }}", "{{ * 2 }}", "{{ a | }}", "{{ a is }}", "{{ a is not }}", "{{ not }}", "{{ a if }}", "{{ a ? b }}", "{{ a ; b }}", "{{ @ }}", "{{ $x }}", "{{ a == }}", "{{ f(a, a=1, *b, **c) }}", "{{ f(**c, 1) }}", "{{ f(, ) }}", "{{ [,] }}", "{{ x[ }}", "{{ x[] }}", "{{ x[1:2:3:4] }}", "{{ a..b }}", "{{ = }}", "{{ a = 1 }}",
    "{% set cyc = cycler('a', 'b') %}{{ cyc.next() }}{{ cyc.next() }}{{ cyc.next() }}{{ cyc.current }}{{ cyc.reset() }}{{ cyc.current }}", "{{ cycler() }}", "{% set j = joiner() %}{{ j() }}a{{ j() }}b{{ j() }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b",
    "{{ raise_exception('boom') }}", "{% if no %}{{ raise_exception('boom') }}{% endif %}fine", "{{ raise_exception() }}", "{{ strftime_now('%Y-%m-%d %H:%M:%S') }}", "{{ strftime_now('%d %b %Y|%A %B %-d|%j|%y|%I %p|%a|%%|%e|%U|%W|%w|%u|%F|%T|%D|%R|%-m/%-d|%f|%C|%h|%n|%k') }}", "{{ strftime_now(1) }}",
    "{% if no %}{{ text|nope }}{% endif %}ok", "{% if yes %}{{ text|nope }}{% endif %}", "{% for x in empty %}{{ x|nope }}{% endfor %}", "{% if no %}{% for x in empty %}{{ x|nope }}{% endfor %}{% endif %}", "{{ text|nope if no else 'ok' }}", "{{ 'ok' if yes else text is nope }}", "{% if no %}{{ text is nope }}{% endif %}ok", "{% macro m() %}{{ x|nope }}{% endmacro %}",
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% do numbers.append(1) %}", "{% set x = numbers.append(1) %}",
    "{{ self }}" if False else "{{ text }}", "{{ people|map(attribute='name')|list|tojson }}", "{{ dict(people[0], extra=1)|tojson }}", "{{ dict(people[0], **{'name': 'New'})|tojson }}", "{{ (people|selectattr('name', 'eq', 'bob')|first).city }}",
    "{% set x = [] %}{% for p in people %}{% set x = x + [p.name] %}{% endfor %}{{ x }}", "{{ [1, 2, 3]|select('gt', 1)|map('string')|join('+') }}", "{{ none }}|{{ true }}|{{ 1.0 }}|{{ [none] }}", "{{ nested.list|map(attribute='n')|sum }}", "{{ 1 }}{{ 2 }}\n{{ 3 }}",
    "{% for x in range(3) %}{% for y in range(x) %}{{ x }}{{ y }},{% endfor %}{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}{{ v }}{% endfor %}", "{% for k, g in people|groupby('age') %}{{ k }}:{{ g|map(attribute='name')|join(',') }};{% endfor %}", "{% for p in people|batch(2) %}{{ p|length }}{% endfor %}",
    "{{ ('a', 'b')|join }}{{ (1, 2)[::-1] }}", "{{ lipsum is defined }}{{ cycler is defined }}{{ joiner is defined }}{{ namespace is defined }}{{ dict is defined }}{{ strftime_now is defined }}", "{% set range = 5 %}{{ range }}", "{% set upper = 'x' %}{{ upper|upper }}",
    "{{ text.upper().lower().title()[0:3] ~ '…' }}", "{{ {'a': [1, {'b': (1, 2)}]} }}", "{{ 'a' if text is defined and text else 'b' }}", "{{ ((((1)))) }}", "{{ [[[[1]]]] }}", "{{ 'x' ~ (1 if yes else 2) ~ 'y' }}", "{{ 1 if yes else 2 ~ 'y' }}",
]

# White-space control: jinja2's rules at every place a tag can stand.
WHITESPACE = [before + tag + after
    for before in ["", "a", "a \n ", "a\n\n", "  ", "\n", "\t\u3000"]
    for tag in ["{% if yes %}", "{%- if yes %}", "{%+ if yes %}", "{% if yes -%}", "{% if yes +%}", "{%- if yes -%}"]
    for after in [" b{% endif %}c", "\n b\n {% endif %}\n c", "\n\n{% endif %}\n", "  {%- endif -%}  \n c", "b\n{%+ endif +%}\n"]
] + [before + tag + after
    for before in ["a \n ", " ", "x"]
    for tag in ["{{ one }}", "{{- one }}", "{{ one -}}", "{{- one -}}", "{# c #}", "{#- c #}", "{# c -#}", "{#+ c #}", "{# c +#}", "{% raw %} r {% endraw %}", "{%- raw -%} r {%- endraw -%}", "  {% raw %}\n r\n  {% endraw %}", "{% raw -%} \n r {%+ endraw +%}", "{{+ one }}", "{{ one +}}"]
    for after in ["\n b", " b\n", "\n", "\n\n", " ", ""]
] + [
    "a\r\nb\rc\n", "a\n\n", "a\r\n", "\n", "", " ", "{% set x = 1 %}\n{% set y = 2 %}\n{{ x }}{{ y }}\n", "{% for x in [1, 2] %}\n  {{ x }}\n{% endfor %}\nend\n",
    "  {% for x in [1, 2] %}\n  - {{ x }}\n  {% else %}\n  none\n  {% endfor %}\n  end", "{% if yes %}\r\nx\r\n{% endif %}\r\ny", "x {% if yes %}  \n{% endif %}", "{{ 'a\r\nb'|tojson }}",
    "{% macro m() %}\n  x\n{% endmacro %}\n[{{ m() }}]", "{% set b %}\n  x\n{% endset %}\n[{{ b }}]", "a{%- set x = 1 %}  b", "{# a #}\n{# b #}\nc", "  {# a #}  \n  b", "{%- for x in [1] -%}\n x \n{%- endfor -%}\n\n y", "{{ 1 -}}\n\n{{- 2 }}",
    "{% if yes %}{% endif %}\n\n{% if yes %}\n{% endif %}z", "\u00a0{% if yes %}x{% endif %}", "a\u2028{%- if yes %}x{% endif %}", "{%if yes%}x{%endif%}", "{{one}}", "{{-one-}}", "{{ -one }}", "{{ one - one }}", "{%\nif\nyes\n%}x{%\nendif\n%}", "{%-if yes-%}  x  {%-endif-%}",
]

ALL = LITERALS + ARITHMETIC + COMPARISONS + ACCESS + METHODS + FILTERS + TESTS + STATEMENTS + WHITESPACE
