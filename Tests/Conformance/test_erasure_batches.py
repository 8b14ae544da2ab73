"""Erasures that wait are carried out together, and a crash in between loses none of them."""

from test_erasure import MARK, found
from waiting import eventually


def everybody(api, count):
    """Finished runs of that many people, each with something that says who they are."""
    people = [f"many-{MARK}-{number}@example.test" for number in range(count)]
    for person in people:
        run = api.post("/runs", {"agent_id": "helper", "user_id": person, "initial_message": f"I am {person}"})
        assert run.status == 201 and api.post(f"/runs/{run.json['id']}/cancel").status == 200
    return people


def erasing(api, people):
    asked = [api.post("/erasures", {"user_id": person}) for person in people]
    assert {each.status for each in asked} == {202}, asked
    return {each.json["id"] for each in asked}


def all_erased(api, ids):
    return eventually(
        lambda: {each["id"]: each for each in api.get("/erasures?limit=1000").json},
        lambda erasures: all(erasures[id]["status"] == "ERASED" for id in ids))


def test_erasures_that_wait_are_carried_out_together(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    people = everybody(api, 40)
    erasures = all_erased(api, erasing(api, people))
    assert {erasure["events"] for erasure in erasures.values()} == {3}, "each one's own events, and the request"
    batches = sluice.output.read_text().count("data of people erased")
    assert batches < 20, f"{batches} rewrites for 40 erasures"
    assert not found(sluice.data, MARK)
    assert api.get("/metrics").content.decode().count('sluice_keyring_keys{kind="person"} 0') == 1


def test_erasures_that_are_cut_off_together_are_finished_by_the_next_start(own_sluice):
    sluice = own_sluice()
    people = everybody(sluice.client(), 30)
    ids = set()
    for first in range(0, 30, 10):
        ids |= erasing(sluice.client(), people[first:first + 10])
        sluice.kill()
        sluice.start()
    erasures = all_erased(sluice.client(), ids)
    assert len(erasures) == 30 and not found(sluice.data, MARK)
    assert sluice.stop() == 0
    assert not found(sluice.data, MARK)
