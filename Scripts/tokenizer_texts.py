"""The texts that make_tokenizer_fixtures.py trains on and tests with."""
import random
import unicodedata

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and it's not the first time they've done so.",
    "I'll say we're done; you'd think I'm joking, but HE'S here and THEY'LL STAY.",
    "She sells sea shells by the sea shore. Thanks for all the fish!",
    "Der schnelle braune Fuchs springt über den faulen Hund; Straße, Größe, Äpfel.",
    "Le café noir est déjà prêt à l'été, où naïveté et cœur s'entendent.",
    "El niño comió piñas en el jardín mañana por la mañana. ¿Qué pasó? ¡Nada!",
    "Быстрая коричневая лиса перепрыгивает через ленивую собаку, не так ли?",
    "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "الثعلب البني السريع يقفز فوق الكلب الكسول. السَّلامُ عليكم",
    "השועל החום המהיר קופץ מעל הכלב העצלן. שָׁלוֹם",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। नमस्ते दुनिया",
    "敏捷的棕色狐狸跳过了懒狗。今天天气很好，我们去公园吧！",
    "素早い茶色の狐がのろまな犬を飛び越える。カタカナとひらがなと漢字。",
    "빠른 갈색 여우가 게으른 개를 뛰어넘는다. 안녕하세요, 세계!",
    "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ",
    "Hızlı kahverengi tilki tembel köpeğin üstünden atlar. İstanbul'da ışık.",
    "Con cáo nâu nhanh nhẹn nhảy qua con chó lười biếng. Tiếng Việt có dấu.",
    "def fibonacci(n: int) -> int:\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)\n",
    "for (int i = 0; i < 10; ++i) {\n\tprintf(\"%d\\n\", array[i] * 2);\n}",
    "let url = URL(string: \"https://example.com/a/b?c=d&e=f#g\")! // TODO: fix HTMLParserState",
    "SELECT name, COUNT(*) FROM users WHERE age >= 21 GROUP BY name ORDER BY 2 DESC;",
    "1, 12, 123, 1234, 12345, 1234567890; 3.14159 and 2,718,281 or 0x1F or 1e-10.",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n* item\n  * nested item\n\n```python\nprint('hi')\n```\n",
]

SPECIAL = [
    "<|im_start|>system\nYou are helpful.<|im_end|>\n<|im_start|>user\nhi<|im_end|>",
    "<s> hello</s>", "a<s>b</s>c", "<s><s>", " <mask> is <mask>", "the   <mask>  here", "x<r>  y<r>\n\nz", "<r> <r>",
    "WORD WORDS word, sWORD word WORD", "<both>  a  <both>b <both>", "x <word> y<word> <word>z <word>",
    "CAF\u00c9 NOIR caf\u00e9 noir cafe\u0301 noir", "<|begin_of_text|>hi<|eot_id|><|eot|><|eo", "<|eot<|eot_id|>",
    "<tool_call>{\"a\": 1}</tool_call>", "a<ws>b  <ws>  c", "<ws>", "\n\n\n\n a\n\nb", "<unk> [UNK]", "<0x41><0x0A>",
    "\u2581a\u2581\u2581b \u2581 c", "<|endoftext|>", "<|endoftext|><|endoftext|>", "<tool>do</tool>[INST] x [/INST]",
    "<|im_start|", "<|im_end|>>", "\u0120the \u010a\u00e9",
]

TRICKY = [
    "", " ", "  ", "   a", "a   ", "\n", "\r\n", "\r\n\r\n", " \n \n ", "\t\t\tx", "a\n\n\n   b", "x \r\n y", "    def",
    "a\u00a0b", "\u3000x\u3000\u3000y", "\u2028\u2029", "\u0085x", "a\u200bb", "\ufeffbom", "\x00\x01\x02\x1f\x7f",
    "don't DON'T Don\u2019t 'S 'st 'rex 'lll ''s '\u017f \u017fs i'\u017f we'RE l'LL", "'", "''", "' s", "'\u017f",
    "a1b22c333d4444e55555", "\u0661\u0662\u0663\u0664", "\u2167\u00bd\u00b2\u00b3\u00b9", "1\u20e3 #\ufe0f\u20e3", "0" * 20,
    "1234567 1,234,567.89 00001111", "10000000000", "x1000y 999 1000",
    "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466 \U0001F3F3\ufe0f\u200d\U0001F308 \U0001F44D\U0001F3FD",
    "\U0001F600\U0001F600\U0001F600", "\U0001F1E9\U0001F1EA\U0001F1EF\U0001F1F5", "\u2764\ufe0f", "\U0001F9D1\u200d\U0001F4BB",
    "e\u0301 \u00e9 e\u0327\u0301 a\u0301\u0327\u0323 q\u0307\u0323", "\u1e9b\u0323 \u212b \u2126 \ufb01 \u2460 \uff21\uff42\uff11",
    "\u1100\u1161\u11a8 \uac00\u11a8 \u1113\u1161 \u1100\u1176", "\u0958 \u095c \u0915\u093c", "\u0344 \u0f73 \u2adc",
    "\u0301x \u0301\u0302", "x\u07f3\u07fd\u0816", "\U0001d15e \U0001d400\U0001d7ff", "\u1f71 \u03ac \u1fbe", "\u01c5 \u1f88 \u01f2",
    "\u02b0\u02b1 \u1d2c \u3005\u3006", "HTMLParser camelCase PascalCase snake_case SCREAMING_CASE XMLHttpRequest2 iPhone",
    "\u01c4A\u01c5a \u0627\u0644A \u4e2dA\u6587b A\u0301B a\u0301B \u0301A", "...!!!???", "--->>>===", "a.b.c/d\\e", "//\n/\r\n//",
    "http://example.com/?q=1, https://x.y. See HTTPS://A.B/c;", "New-York Jean-Luc-Picard -Foo-", "AB ABC ABCDEF a",
    "$100 \u20ac50 \u00a51000 \u00a3", "\u00ab\u00bb\u201c\u201d\u2018\u2019", "\u00ad\u200e\u200f\u2060", "\ue000\uf8ff",
    "\ufffd\ufffe\uffff", "\U000e0001\U0010ffff", "\u0378\u0380\u2fe0", "a" * 120, "ab" * 60, " " * 80, "\n" * 50, "\t" * 33,
    "the" * 40, "\u4e00" * 40, "!" * 70, "- " * 30, "\u0301" * 40, "aA" * 40, "1 " * 20, "\U0001F600" * 20, "zqxj thanks 12 123",
    "<" * 30, "<|" * 20, "\u2581" * 12, "a\u2581b\u2581\u2581c", "\u00c3\u00a9 mojibake \u00e2\u20ac\u2122", "\u0130I\u0131i \u00df\u1e9e \u03a3\u03c3\u03c2",
    "\u4e2d\u6587abc123\u65e5\u672c\u8a9e\u304b\u306a\u30ab\u30ca\ud55c\uad6d", "a  b   c    d     e", "\u2003em\u2009thin", "\ua9c1\U00011347",
]


def fuzz(count):
    """Random texts of pieces that patterns and normalizers treat in different ways."""
    generator = random.Random(20260101)
    pools = ["abcdefgh", "ABCXYZ", "    ", " \t\n\r\u00a0\u2003\u3000", "0123456789\u0663\u0967\u2164\u00bd", ".,;:!?'\"-_()[]{}<>|/\\@#$%^&*+=~`",
             "\u0301\u0308\u0323\u0327\u0338\u05b0\u064b\u093c\u3099", "\u00e9\u00df\u00f1\u0130\u017f\u01c5", "\u4e2d\u6587\u65e5\u3042\u30a2",
             "\uac00\u1100\u1161\u11a8", "\u0627\u0644\u0639\u05e9\u0e01\u0e34\u0915\u093f", "\U0001F600\U0001F468\u200d\ufe0f\U0001F3FD",
             "\u200b\u200d\u00ad\ufeff\x00\x07\x1b\x85\u2028", "\u2581\u0120\u010a", "\ufb01\u2460\uff21\u2126\u212b\u1e9b"]
    words = ["'s", "'LL", "'\u017f", "<s>", "</s>", "<|im_end|>", "<mask>", "<|eot_id|>", "the", " the", "ing ", "WORD", "\r\n", "<ws>", "<tool>", "thanks"]
    assigned = [c for c in range(0x20, 0x30000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    result = []
    for _ in range(count):
        text = ""
        for _ in range(generator.randrange(1, 10)):
            kind = generator.random()
            if kind < 0.2:
                text += generator.choice(words)
            elif kind < 0.3:
                text += chr(generator.choice(assigned))
            else:
                pool = generator.choice(pools)
                text += "".join(generator.choice(pool) for _ in range(generator.randrange(1, 5)))
        result.append(text)
    return result


def texts():
    """Special tokens first, then the rest."""
    return SPECIAL + TRICKY + SENTENCES + fuzz(240)


def training_lines():
    generator = random.Random(1)
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    lines = list(SENTENCES) * 4
    for _ in range(400):
        lines.append(" ".join(generator.choice(words) for _ in range(generator.randrange(2, 12))))
    return lines
