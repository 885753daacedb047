"""The OpenAPI documents of the REST services, and whether answers and requests are as they say."""

import json
import pathlib
import re
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs"
METHODS = {"get", "put", "post", "patch", "delete"}
UNSPOKEN = {405, 413, 415, 500, 503}  # what the documents leave to `default`
TYPES = {"string": str, "boolean": bool, "array": list, "object": dict}


class Document:
    """One document. Of JSON Schema it knows types, members, words and patterns; sizes and formats it lets be."""

    def __init__(self, file):
        self.root = json.loads(file.read_text())

    def resolved(self, value):
        while "$ref" in value:
            value = self.at(value["$ref"])
        return value

    def at(self, reference):
        value = self.root
        for step in reference.removeprefix("#/").split("/"):
            value = value[step]
        return value

    def schema_in(self, holder):
        """Of a request's or an answer's body of JSON; None: it has none."""
        return self.resolved(holder).get("content", {}).get("application/json", {}).get("schema")

    def is_file(self, holder):
        """Whether an answer's body is octets and no JSON."""
        return "content" in self.resolved(holder) and self.schema_in(holder) is None

    def whole(self, schema):
        """The schema with all that it is made of."""
        schema = self.resolved(schema)
        parts = [self.whole(part) for part in schema.get("allOf", [])]
        if not parts:
            return schema
        return {**schema, "type": "object", "properties": {name: value for part in parts for name, value in part["properties"].items()},
                "required": [name for part in parts for name in part.get("required", [])]}

    def problems(self, value, schema, sent, where="$"):
        """What of a JSON value is not as its schema says; `sent`: it is a request's."""
        schema = self.whole(schema)
        if value is None:
            return [] if sent or schema.get("nullable") else [f"{where}: null"]
        if not self.has_type(value, schema["type"]):
            return [f"{where}: {value!r} is no {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where}: {value!r} is none of {schema['enum']}"]
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return [f"{where}: {value!r} does not fit {schema['pattern']}"]
        if schema["type"] == "array":
            return [problem for i, item in enumerate(value) for problem in self.problems(item, schema["items"], sent, f"{where}[{i}]")]
        return self.problems_of_members(value, schema, sent, where) if schema["type"] == "object" else []

    @staticmethod
    def has_type(value, name):
        return isinstance(value, int) and not isinstance(value, bool) if name == "integer" else isinstance(value, TYPES[name])

    def problems_of_members(self, value, schema, sent, where):
        members, others = schema.get("properties", {}), schema.get("additionalProperties", False)
        found = []
        for name, item in value.items():
            if name in members:
                found += self.problems(item, members[name], sent, f"{where}.{name}")
            elif isinstance(others, dict):
                found += self.problems(item, others, sent, f"{where}.{name}")
            elif not others:
                found.append(f"{where}.{name} is not in the document")
            if not sent and name in members and self.resolved(members[name]).get("writeOnly"):
                found.append(f"{where}.{name} is given out")
        other_way = "readOnly" if sent else "writeOnly"
        return found + [f"{where}.{name} is missing" for name in schema.get("required", [])
                        if name not in value and not self.resolved(members[name]).get(other_way)]

    def operations(self):
        """Each by its id: the method, the template of its path, and itself."""
        return {operation["operationId"]: (method, template, operation)
                for template, item in self.root["paths"].items() for method, operation in item.items() if method in METHODS}

    def operation(self, method, path):
        """The operation and the template of its path; None: there is no such one."""
        segments = path.split("/")
        fitting = [template for template in self.root["paths"] if self.fits(template.split("/"), segments)]
        # Literals come before the parameters that they could be taken for.
        for template in sorted(fitting, key=lambda template: template.count("{")):
            if method.lower() in self.root["paths"][template]:
                return self.root["paths"][template][method.lower()], template
        return None

    @staticmethod
    def fits(parts, segments):
        return len(parts) == len(segments) and all(segment != "" if part.startswith("{") else part.lower() == segment.lower()
                                                   for part, segment in zip(parts, segments))


VAULT, MANAGEMENT = (Document(FOLDER / f"openapi-{plane}.json") for plane in ["vault", "management"])


def problems(method, target, status, answer):
    """What of a call's answer is not as the documents say."""
    path = urllib.parse.unquote(target.split("?")[0])
    if path.count("/") > 2:
        path = path.removesuffix("/")  # an empty version at the end is none
    if is_nowhere(status, answer):
        return []
    for document in [VAULT, MANAGEMENT]:
        if (found := document.operation(method, path)) is None:
            continue
        operation, template = found
        responses = operation["responses"]
        if str(status) not in responses and status not in UNSPOKEN:
            return [f"{method} {template} answers {status}"]
        response = responses.get(str(status), responses["default"])
        if document.is_file(response):
            return [] if isinstance(answer, bytes) else [f"{method} {template} {status}: the body is no file"]
        schema = document.schema_in(response)
        if schema is None:
            return [] if answer is None else [f"{method} {template} {status}: there is a body"]
        return [f"{method} {template} {status}: {problem}" for problem in document.problems(answer, schema, sent=False)]
    return [] if status >= 400 else [f"{method} {path} answers {status} and is in no document"]


def is_nowhere(status, answer):
    """Whether the path is none of the service's, as those of the other plane are not."""
    return status == 404 and answer["error"]["code"] == "NotFound"
