"""The traces are what the protocol's own definitions take, and their names are the conventions'."""

import json
from base64 import b64encode

import pytest
from conftest import SCENARIOS
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, server_attributes, service_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes

CONVENTIONS = {
    value
    for module in [gen_ai_attributes, server_attributes, service_attributes, error_attributes, http_attributes]
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}
PROVIDERS = {value.value for value in gen_ai_attributes.GenAiProviderNameValues}

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def parsed(line):
    """A line as the protocol's definitions have it. Ids are hexadecimal where protobuf's own JSON has base 64."""
    request = json.loads(line)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key, size in [("traceId", 16), ("spanId", 8), ("parentSpanId", 8)]:
                    if key in span:
                        raw = bytes.fromhex(span[key])
                        assert len(raw) == size and any(raw), f"{key} {span[key]}"
                        span[key] = b64encode(raw).decode()
                # As the JSON of the protocol has them, which protobuf's own does not insist on.
                assert isinstance(span["kind"], int) and isinstance(span["startTimeUnixNano"], str)
    # Strict: a field that is not in the definitions is an error.
    return json_format.ParseDict(request, ExportTraceServiceRequest())


def attributes(of):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in of.attributes}


@every_scenario
def test_traces_are_what_the_protocol_takes(runs, name):
    one = runs[name]
    roots, ids = {}, set()
    children = []
    for line in one.traces_file.read_text().splitlines():
        for resource in parsed(line).resource_spans:
            about = attributes(resource.resource)
            assert about["service.name"] == name
            assert about["failover_sim.request_count"] == one.outcome("request_count")
            assert about["failover_sim.failed_count"] == one.outcome("failed_count")
            assert {key for key in about if not key.startswith("failover_sim.")} <= CONVENTIONS
            for span in resource.scope_spans[0].spans:
                assert span.span_id not in ids and span.end_time_unix_nano >= span.start_time_unix_nano
                assert span.start_time_unix_nano >= one.start * 10**9 and span.end_time_unix_nano <= one.end * 10**9
                ids.add(span.span_id)
                own = {key for key in attributes(span) if not key.startswith("failover_sim.")}
                assert own <= CONVENTIONS, own - CONVENTIONS
                if span.parent_span_id:
                    children.append(span)
                else:
                    assert span.kind == Span.SPAN_KIND_SERVER
                    roots[span.trace_id] = span
    assert len(roots) == min(200, one.outcome("request_count"))
    failed = [root for root in roots.values() if root.status.code == Status.STATUS_CODE_ERROR]
    assert len(failed) == min(100, one.outcome("failed_count"))
    assert children
    for span in children:
        root, about = roots[span.trace_id], attributes(span)
        assert span.parent_span_id == root.span_id and span.kind == Span.SPAN_KIND_CLIENT
        assert root.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
        assert about["gen_ai.operation.name"] == gen_ai_attributes.GenAiOperationNameValues.CHAT.value
        assert about["gen_ai.provider.name"] in PROVIDERS
        assert (span.status.code == Status.STATUS_CODE_ERROR) == ("error.type" in about)
        model = about.get("gen_ai.request.model")
        assert span.name == (f"chat {model}" if model else "chat")


def test_tokens_are_those_of_the_answers(runs):
    tokens = []
    for line in runs["outage"].traces_file.read_text().splitlines():
        spans = parsed(line).resource_spans[0].scope_spans[0].spans
        for about in map(attributes, spans):
            if about.get("http.response.status_code") == 200 and "gen_ai.operation.name" in about:
                tokens.append((about["gen_ai.usage.input_tokens"], about["gen_ai.usage.output_tokens"]))
            else:
                assert "gen_ai.usage.input_tokens" not in about
    assert tokens and set(tokens) == {(1020, 129)}
