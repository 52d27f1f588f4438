"""Writes Tests/JinjaTests/Fixtures: what jinja2, set up by Hugging Face transformers, renders.

    pip install jinja2==3.1.6 transformers==5.23.0
    python Scripts/make_jinja_fixtures.py [--templates DIR ...] [--out DIR]

The templates are those in Fixtures/templates, whose origins Fixtures/templates/README.md names, unless
--templates gives other folders of *.jinja files to compare on. Writes

    cases.json        every template with every conversation: the prompt, or that an error is raised
    expressions.json  the snippets of jinja_snippets.py: the output, or that an error is raised
"""

import argparse, datetime, json, pathlib, sys, warnings

import jinja2
from transformers.utils.chat_template_utils import _compile_jinja_template

import jinja_snippets

assert jinja2.__version__ == "3.1.6", jinja2.__version__
warnings.simplefilter("ignore")
FIXTURES = pathlib.Path(__file__).parent.parent / "Tests/JinjaTests/Fixtures"
NOW = datetime.datetime(2024, 3, 5, 7, 8, 9)

WEATHER = {"type": "function", "function": {
    "name": "get_current_weather", "description": "Get the weather & \"conditions\" at a <place>.",
    "parameters": {"type": "object", "properties": {
        "location": {"type": "string", "description": "City, e.g. Zürich"},
        "format": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "detail": {"type": "object", "properties": {"hourly": {"type": "boolean"}, "ratio": {"type": "number", "default": 0.5}},
                   "required": ["hourly"], "additionalProperties": False},
        "tags": {"type": "array", "items": {"type": "string"}},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["location", "format"]},
    "return": {"type": "string"}}}
PING = {"type": "function", "function": {"name": "ping", "description": "", "parameters": {"type": "object", "properties": {}}}}

def m(role, content, **more): return {"role": role, "content": content, **more}
def call(name, arguments, id="call00001"): return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}

USER, SYSTEM = m("user", "Hi! What's 2+2?"), m("system", "You are terse.\nAnswer in one line.")
ANSWER = m("assistant", "4")
CALLS = [call("get_current_weather", {"location": "Zürich", "format": "celsius", "detail": {"hourly": True, "ratio": 1.0}, "tags": ["a", "b"]})]
TEXT_CALLS = [call("get_current_weather", "{\"location\": \"Zürich\"}")]
RESULT = m("tool", "{\"temperature\": 21.5, \"unit\": \"°C\"}", name="get_current_weather", tool_call_id="call00001")
THOUGHT = "<think>\nTwo and two.\n</think>\n\n4"

def conversations():
    """Name to variables, over which each template also sees bos_token and eos_token."""
    base = {
        "user": {"messages": [USER]}, "system": {"messages": [SYSTEM, USER]},
        "turns": {"messages": [SYSTEM, USER, ANSWER, m("user", "  And 3+3? "), m("assistant", " 6\n"), m("user", "Thanks.")]},
        "answered": {"messages": [USER, ANSWER]}, "answered-system": {"messages": [SYSTEM, USER, ANSWER]},
        "empty": {"messages": []}, "blank": {"messages": [m("user", "")]}, "blank-system": {"messages": [m("system", ""), USER, m("assistant", ""), m("user", "x")]},
        "none": {"messages": [USER, m("assistant", None), USER]}, "missing": {"messages": [USER, {"role": "assistant"}, USER]},
        "unicode": {"messages": [m("system", "Réponds en français."), m("user", "日本語 😀 e\u0301 \u200b <|im_end|> & <b> {{ x }} {% y %}"), m("assistant", "Ünïcödé\r\n\ttab"), m("user", "\u2028")]},
        "parts": {"messages": [m("user", [{"type": "text", "text": "Look: "}, {"type": "image"}, {"type": "text", "text": "what?"}])]},
        "text-parts": {"messages": [m("system", [{"type": "text", "text": "Sys."}]), m("user", [{"type": "text", "text": "One."}]), m("assistant", [{"type": "text", "text": "Two."}]), USER]},
        "wrong-order": {"messages": [ANSWER, USER]}, "two-users": {"messages": [USER, USER]}, "late-system": {"messages": [USER, SYSTEM, USER]}, "odd-role": {"messages": [USER, m("critic", "no")]},
        "developer": {"messages": [m("developer", "Be kind."), USER]},
        "think": {"messages": [USER, m("assistant", THOUGHT), m("user", "Sure?")]}, "think-last": {"messages": [USER, m("assistant", THOUGHT)]},
        "reasoning": {"messages": [USER, m("assistant", "4", reasoning_content="Two and two.", thinking="Two and two."), m("user", "Sure?"), m("assistant", "Yes", reasoning_content="Checked.", thinking="Checked.")]},
        "thinking-on": {"messages": [SYSTEM, USER], "enable_thinking": True, "thinking": True}, "thinking-off": {"messages": [SYSTEM, USER], "enable_thinking": False, "thinking": False},
        "tools": {"messages": [USER], "tools": [WEATHER, PING]}, "tools-system": {"messages": [SYSTEM, USER], "tools": [WEATHER]}, "tools-none": {"messages": [USER], "tools": None},
        "tools-empty": {"messages": [SYSTEM, USER], "tools": []}, "tools-off": {"messages": [SYSTEM, USER], "tools": [WEATHER], "enable_thinking": False, "thinking": False},
        "call": {"messages": [USER, m("assistant", "", tool_calls=CALLS)], "tools": [WEATHER]},
        "called": {"messages": [SYSTEM, USER, m("assistant", "", tool_calls=CALLS), RESULT], "tools": [WEATHER]},
        "called-none": {"messages": [USER, m("assistant", None, tool_calls=CALLS), RESULT, m("assistant", "21.5 °C."), m("user", "Thanks")], "tools": [WEATHER]},
        "called-text": {"messages": [USER, m("assistant", None, tool_calls=TEXT_CALLS), RESULT], "tools": [WEATHER]},
        "called-missing": {"messages": [USER, {"role": "assistant", "tool_calls": TEXT_CALLS}, RESULT, m("assistant", "Warm."), USER], "tools": [WEATHER]},
        "called-twice": {"messages": [USER, m("assistant", "On it.", tool_calls=CALLS + [call("ping", {}, "call00002")], reasoning_content="Both."), RESULT, m("tool", "pong", name="ping", tool_call_id="call00002")], "tools": [WEATHER, PING]},
        "called-again": {"messages": [USER, m("assistant", "", tool_calls=CALLS), RESULT, m("assistant", "", tool_calls=[call("ping", {}, "call00002")]), m("tool", "pong", name="ping", tool_call_id="call00002"), m("assistant", "Done."), USER], "tools": [WEATHER, PING]},
        "call-without-tools": {"messages": [USER, m("assistant", "", tool_calls=CALLS), RESULT]}, "calls-empty": {"messages": [USER, m("assistant", "4", tool_calls=[]), USER], "tools": [WEATHER]},
        "tool-object": {"messages": [USER, m("assistant", "", tool_calls=CALLS), m("tool", {"content": {"t": 1}}, name="get_current_weather", tool_call_id="call00001")], "tools": [WEATHER]},
        "plain-tools": {"messages": [USER], "tools": [WEATHER["function"]]},
        "date": {"messages": [SYSTEM, USER], "date_string": "26 Jul 2024", "today_date": "26 Jul 2024"},
        "tools-in-system": {"messages": [SYSTEM, USER], "tools": [WEATHER], "tools_in_user_message": False, "builtin_tools": ["wolfram_alpha", "code_interpreter"]},
        "documents": {"messages": [SYSTEM, USER], "documents": [{"title": "T", "text": "Some text.", "doc_id": 1}, {"title": "U", "text": "More."}], "citations": "accurate", "length": "short"},
        "effort": {"messages": [SYSTEM, USER], "reasoning_effort": "high", "model_identity": "I am X."},
        "nothing": {},
    }
    for name, variables in base.items():
        yield name, {**variables, "add_generation_prompt": True}
        if name in ("user", "turns", "answered", "think", "tools", "called", "called-none", "called-twice", "reasoning", "empty"):
            yield name + "-closed", {**variables, "add_generation_prompt": False}

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

def render(source, variables):
    """The output, or the error: any exception counts, as any of ours does."""
    try:
        return _compile_jinja_template(source).render(strftime_now=NOW.strftime, **json.loads(json.dumps(variables))), None
    except RecursionError as error:
        return None, "RecursionError"
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--templates", type=pathlib.Path, nargs="*", default=[FIXTURES / "templates"])
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES)
    arguments = parser.parse_args()
    chats, cases = dict(conversations()), []
    outputs = {}
    for folder in arguments.templates:
        for path in sorted(folder.glob("*.jinja")):
            source = path.read_bytes().decode()
            for name, variables in chats.items():
                output, error = render(source, {**TOKENS, **variables})
                cases.append({"template": path.name, "chat": name, **({"output": output} if error is None else {"error": error.split("\n")[0][:120]})})
    snippets = []
    for source in dict.fromkeys(jinja_snippets.ALL):
        output, error = render(source, jinja_snippets.VARIABLES)
        snippets.append({"template": source, **({"output": output} if error is None else {"error": error.split("\n")[0][:160]})})
    def write(name, value):
        text = json.dumps(value, ensure_ascii=False, indent=0)
        (arguments.out / name).write_text(text + "\n", newline="\n")
    arguments.out.mkdir(parents=True, exist_ok=True)
    write("cases.json", {"tokens": TOKENS, "chats": chats, "cases": cases})
    write("expressions.json", {"variables": jinja_snippets.VARIABLES, "snippets": snippets})
    print(f"{len(cases)} cases ({sum('error' in c for c in cases)} errors), "
          f"{len(snippets)} snippets ({sum('error' in s for s in snippets)} errors)")

if __name__ == "__main__":
    sys.exit(main())
