//! Parts of providers, quotas and networks: each is valid as it is, says where its numbers are from, and is in the list.

use failover_sim::scenario::Loader;

fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder of parts")
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

#[test]
fn every_provider_is_valid_priced_and_listed() {
    let list = std::fs::read_to_string("models/README.md").expect("a list of parts");
    for name in names("models/providers") {
        let scenario = format!(
            "duration = \"1m\"\n[traffic]\narrivals = {{ constant = \"1/s\" }}\n\
             [traffic.class.chat]\ninput_tokens = {{ constant = 1020 }}\noutput_tokens = {{ constant = 129 }}\n\
             [provider.a]\nfrom = \"models/providers/{name}\"\n"
        );
        let document = Loader::new().parse(&name, &scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let model = document.model().unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert!(model.weakest_evidence.is_some(), "{name} says how well its numbers are known");
        assert!(document.get("provider.a.source").is_some(), "{name} says where they are from");
        let provider = &model.providers[0];
        assert!(provider.price.is_some(), "{name} says what it charges");
        assert!(provider.labels.contains_key("vendor"), "{name} has a label for faults to select it by");
        assert!(
            list.contains(&format!("`{}`", name.trim_end_matches(".toml"))),
            "models/README.md lists {name}"
        );
    }
}

/// Of whatever provider its vendor has.
#[test]
fn every_quota_is_valid_and_listed() {
    let list = std::fs::read_to_string("models/README.md").expect("a list of parts");
    for name in names("models/quotas") {
        let text = std::fs::read_to_string(format!("models/quotas/{name}")).expect("a part");
        let part: toml::Table = text.parse().expect("TOML");
        let vendor = part["on"]["vendor"].as_str().expect("a vendor");
        let scenario = format!(
            "duration = \"1m\"\n[traffic]\narrivals = {{ constant = \"1/s\" }}\n\
             [traffic.class.chat]\ninput_tokens = {{ constant = 1020 }}\noutput_tokens = {{ constant = 129 }}\n\
             [provider.a]\nlatency = {{ constant = \"1s\" }}\nlabels = {{ vendor = \"{vendor}\" }}\n\
             [quota.account]\nfrom = \"models/quotas/{name}\"\n"
        );
        let document = Loader::new().parse(&name, &scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let model = document.model().unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(model.quotas.len(), 1, "{name} limits {vendor}");
        assert!(model.weakest_evidence.is_some(), "{name} says how well its numbers are known");
        assert!(document.get("quota.account.source").is_some(), "{name} says where they are from");
        assert!(list.contains(&format!("`quotas/{name}`")), "models/README.md lists {name}");
    }
}

/// A gateway anywhere reaches a provider everywhere.
#[test]
fn every_network_knows_all_pairs_of_its_regions() {
    let list = std::fs::read_to_string("models/README.md").expect("a list of parts");
    for name in names("models/network") {
        let text = std::fs::read_to_string(format!("models/network/{name}")).expect("a part");
        let part: toml::Table = text.parse().expect("TOML");
        let rows = part["rtt"].as_table().expect("rows");
        let mut regions: Vec<&String> =
            rows.keys().chain(rows.values().flat_map(|row| row.as_table().expect("a row").keys())).collect();
        regions.sort();
        regions.dedup();
        let providers: String = regions
            .iter()
            .map(|region| format!("[provider.{region}]\nlatency = {{ constant = \"1s\" }}\nlabels = {{ region = \"{region}\" }}\n"))
            .collect();
        for region in &regions {
            let scenario = format!(
                "duration = \"1m\"\n[traffic]\narrivals = {{ constant = \"1/s\" }}\n{providers}\
                 [gateway]\nregion = \"{region}\"\nroute = {{ round_robin = {regions:?} }}\n\
                 [network]\nfrom = \"models/network/{name}\"\n"
            );
            let document =
                Loader::new().parse(&name, &scenario).unwrap_or_else(|problems| panic!("{problems}"));
            let model = document.model().unwrap_or_else(|problems| panic!("{name}: {problems}"));
            assert!(model.weakest_evidence.is_some(), "{name} says how well its numbers are known");
        }
        assert!(list.contains(&format!("`network/{name}`")), "models/README.md lists {name}");
    }
}
